"""A tool whose arguments have the API's names, and whose errors have one line for each wrong argument."""

from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, core_schema

ToolContext = Context[Any, Any]
"""The context of a call, with the headers of the call. The type arguments are Any, because the server has no state."""
READ = ToolAnnotations(read_only_hint=True, open_world_hint=False)
CHANGE = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
"""The hints for a payment or a change of policy: a call replaces data, and a repeated call changes nothing more."""


class _Arguments(ArgModelBase):
    """The arguments of a tool, with the names of the API. Arguments with other names are refused."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    def model_dump_one_level(self) -> dict[str, Any]:
        """Return the arguments by the names of the function's parameters."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class _ResultSchema(GenerateJsonSchema):
    """The JSON Schema of a result, without the titles of its fields.

    The titles repeat the names, and an agent pays for each token.
    """

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False, so that no field has a title."""
        return False


class _ArgumentSchema(_ResultSchema):
    """The JSON Schema of arguments. It shows a nullable argument as an optional one."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of the value that is not null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema with its default, or without one if its default is null."""
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


class ApiTool(Tool):
    """A tool of this server."""

    @classmethod
    def build(cls, function: Callable[..., Awaitable[Any]], title: str, annotations: ToolAnnotations) -> Tool:
        """Return the tool of a function, whose docstring is the description of the tool."""
        description = " ".join((function.__doc__ or "").split())
        tool = cls.from_function(function, title=title, description=description, annotations=annotations)
        lax = tool.fn_metadata.arg_model
        strict = create_model(lax.__name__, __base__=(_Arguments, lax))
        result: type[BaseModel] = tool.fn_metadata.output_model
        output_schema = result.model_json_schema(mode="serialization", schema_generator=_ResultSchema)
        metadata = tool.fn_metadata.model_copy(update={"arg_model": strict, "output_schema": output_schema})
        parameters = strict.model_json_schema(schema_generator=_ArgumentSchema)
        return tool.model_copy(update={"fn_metadata": metadata, "parameters": parameters})

    async def run(self, arguments: dict[str, Any], context: ToolContext, convert_result: bool = False) -> Any:
        """Run the tool. Raises ToolError if it fails.

        If arguments are wrong, the error has a line for each of them, with its name and its problem.
        """
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError("\n".join(map(self._describe, cause.errors()))) from cause
            if isinstance(cause, ToolError):
                raise cause from None
            raise

    def _describe(self, problem: ErrorDetails) -> str:
        """Return the path of a wrong argument with the problem; for a missing argument, with its description."""
        path = ".".join(map(str, problem["loc"]))
        if problem["type"] == "missing" and path in self.parameters["properties"]:
            return f"{path}: is required: {self.parameters['properties'][path].get('description', '')}"
        return f"{path}: {problem['msg']}"
