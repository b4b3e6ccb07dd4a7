"""All signatures, in the order in which they are tried: what is narrow comes before what is wide."""

from __future__ import annotations

from collections.abc import Mapping

from orderhe_dagster.doctor.signature import Signature
from orderhe_dagster.doctor.signatures import of_aws, of_copy, of_home, of_mysql, of_redshift, of_s3

CHAPTERS: Mapping[str, tuple[Signature, ...]] = {
    "MySQL": of_mysql.SIGNATURES,
    "S3": of_s3.SIGNATURES,
    "COPY and UNLOAD": of_copy.SIGNATURES,
    "Redshift": of_redshift.SIGNATURES,
    "AWS, where its own answers are read": of_aws.SIGNATURES,
    "This machine": of_home.SIGNATURES,
}
SIGNATURES: tuple[Signature, ...] = tuple(one for some in CHAPTERS.values() for one in some)
BY_NAME: Mapping[str, Signature] = {one.name: one for one in SIGNATURES}
