"""A reference by name to the type of instances, for the modules of the types that instances refer to.

GraphQL types refer to each other in circles: an instance has orders, whose lines have instances. Python modules must
not import each other in circles, so the module of orders refers to the type of instances by its name. Strawberry
resolves the name when it builds the schema.
"""

from typing import Any

from strawberry.types.base import StrawberryOptional
from strawberry.types.lazy_type import LazyType

INSTANCE: Any = LazyType("Instance", "schema.customer.instances")
INSTANCE_OR_NULL = StrawberryOptional(INSTANCE)
