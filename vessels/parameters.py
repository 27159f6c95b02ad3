"""The base of every parameter record: frozen, bounded, and refusing names it does not know."""

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """A frozen record of parameters; unknown names and values out of bounds fail at construction.

    Subclasses declare each field with `pydantic.Field(default, ge=..., le=..., description="meaning. Source: ...")`,
    so that the unit stands in the name and meaning, bounds and source stand beside the default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
