"""Lists as CSV: the parts that an API gives, one after the other as one file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.console.apis import Apis, CsvPart
from services.console.pages.page import Export, Source
from services.console.routes import Handler, view_of, visitor_of
from services.console.site import Site

MAX_PARTS: Final = 10
"""A file ends after so many parts of 10,000 rows at most: filters make a list shorter."""

HEAD_END: Final = "\r\n"
"""What ends the row with the names of the columns, which have no line breaks."""


def export_route(site: Site, export: Export) -> Handler:
    """The route of a list as CSV."""

    async def download(request: Request) -> Response:
        visitor = await visitor_of(site, request, export.scopes)
        source = export.source(view_of(site, request, visitor))
        apis = site.apis(visitor)
        first = await apis.csv(source.service, source.path, **source.query)
        name = request.url.path.rpartition("/")[2]
        return StreamingResponse(
            _parts(apis, source, first),
            headers={"content-disposition": f'attachment; filename="{name}"'},
            media_type="text/csv",
        )

    return download


async def _parts(apis: Apis, source: Source, part: CsvPart) -> AsyncIterator[str]:
    yield part.text
    for _ in range(MAX_PARTS - 1):
        if part.next is None:
            return
        query = {**source.query, "after": part.next}
        part = await apis.csv(source.service, source.path, **query)
        yield part.text.partition(HEAD_END)[2]
