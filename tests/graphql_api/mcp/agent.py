"""The official MCP client, as an agent's host uses it. It returns a tool's result, or the error as text."""

from typing import Any

from mcp.client import Client
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, TextContent

Agent = Client | MCPServer[None]
"""A connected client, or a server in this process, to which each call connects."""


async def call(agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that must succeed; return its result."""
    result = await _call(agent, tool, arguments)
    assert not result.is_error, _text(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refused(agent: Agent, tool: str, **arguments: Any) -> str:
    """Call a tool that must fail; return its error."""
    result = await _call(agent, tool, arguments)
    assert result.is_error, result.structured_content
    return _text(result)


async def _call(agent: Agent, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    if isinstance(agent, MCPServer):
        async with Client(agent) as client:
            return await _call(client, tool, arguments)
    result = await agent.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    return result


def _text(result: CallToolResult) -> str:
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text
