"""A typed client of the Renewals API: the operations of a console's page."""

from renewals_client import generated
from renewals_client.client import RenewalsClient, RequestError, new_key
from renewals_client.generated import *  # noqa: F403 - the models of inputs, results and enums
from renewals_client.open_types import OtherError

RenewSuccess = generated.RenewRenewInstancesRenewInstancesSuccess
UnifySuccess = generated.UnifyUnifyExpiryUnifyExpirySuccess
SetPolicySuccess = generated.SetPolicySetRenewalPolicySetRenewalPolicySuccess

__all__ = [
    "OtherError",
    "RenewSuccess",
    "RenewalsClient",
    "RequestError",
    "SetPolicySuccess",
    "UnifySuccess",
    "new_key",
]
__all__ += generated.__all__
