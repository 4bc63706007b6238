"""What every model shares: names of constraints, and the column types of Python types."""

from datetime import datetime
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, func
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    """The base of all models; the migrations are compared with its metadata."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012  # SQLAlchemy's


Key = Annotated[int, mapped_column(Identity(always=True), primary_key=True)]
CreatedAt = Annotated[datetime, mapped_column(server_default=func.now())]
