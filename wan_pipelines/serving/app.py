"""The routes."""

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from wan_pipelines import __version__
from wan_pipelines.engines.remote.calls import content_digest
from wan_pipelines.serving.body_limit import BodyLimit
from wan_pipelines.serving.keys import Keys
from wan_pipelines.serving.locality import check_local
from wan_pipelines.serving.problems import Refusal, bad_request, problem
from wan_pipelines.serving.service import VideoService

if TYPE_CHECKING:
    from starlette.types import ExceptionHandler

BODY_BYTES = 64 * 1024
MOST_FIELDS = 64
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def engine_app(service: VideoService, keys: Keys) -> FastAPI:
    """The application; the service is somebody else's to open and close."""
    app = FastAPI(title="wan engine", version=__version__, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, most_bytes=BODY_BYTES)
    _answer_errors(app, service)
    _add_health(app, service)
    _add_videos(app, service, keys)
    return app


def _add_videos(app: FastAPI, service: VideoService, keys: Keys) -> None:
    def caller_of(
        authorization: Annotated[str | None, Header()] = None,
        host: Annotated[str | None, Header()] = None,
        origin: Annotated[str | None, Header()] = None,
    ) -> str:
        if not keys:
            check_local(host, origin)
        return keys.caller(authorization)

    caller_dependency = Depends(caller_of)

    @app.post("/v1/videos")
    async def create(
        request: Request,
        caller: str = caller_dependency,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> JSONResponse:
        fields = await _fields(request)
        return JSONResponse(
            await run_in_threadpool(service.create, caller, fields, idempotency_key)
        )

    @app.get("/v1/videos")
    def page(
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        order: Literal["asc", "desc"] = "desc",
        caller: str = caller_dependency,
    ) -> dict[str, Any]:
        return service.page(caller, after=after, limit=limit, order=order)

    @app.get("/v1/videos/{video_id}")
    def get(video_id: str, caller: str = caller_dependency) -> dict[str, Any]:
        return service.get(caller, video_id)

    @app.delete("/v1/videos/{video_id}")
    def delete(video_id: str, caller: str = caller_dependency) -> dict[str, Any]:
        return service.delete(caller, video_id)

    @app.get("/v1/videos/{video_id}/content")
    def content(
        video_id: str,
        variant: str = "video",
        ranged: Annotated[str | None, Header(alias="Range")] = None,
        caller: str = caller_dependency,
    ) -> FileResponse:
        """Of the whole file the digest is of its content, of a part only of what it is part of."""
        path, media_type = service.content(caller, video_id, variant)
        with path.open("rb") as file:
            digest = content_digest(hashlib.file_digest(file, "sha256").digest())
        return FileResponse(
            path,
            media_type=media_type,
            filename=f"{video_id}{path.suffix}",
            headers={"Repr-Digest": digest} if ranged else {"Content-Digest": digest},
        )

    @app.get("/v1/models", dependencies=[caller_dependency])
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [service.model()]}


def _add_health(app: FastAPI, service: VideoService) -> None:
    @app.get("/healthz")
    def alive() -> JSONResponse:
        well = not service.loop.over.is_set()
        return JSONResponse({"alive": well}, 200 if well else 503)

    @app.get("/readyz")
    def ready() -> JSONResponse:
        health = service.health()
        return JSONResponse(health, 200 if health["ready"] else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(service.meters.registry), media_type=CONTENT_TYPE_LATEST)


def _answer_errors(app: FastAPI, service: VideoService) -> None:
    """Every error has the form that OpenAI's clients read."""

    def refused(_request: Request, refusal: Refusal) -> JSONResponse:
        service.meters.refused(refusal.code)
        return JSONResponse(refusal.to_json(), refusal.status, refusal.headers)

    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return refused(request, bad_request(f"{name}: {first['msg']}.", name))

    def unknown(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(
            problem(error.status_code, error.detail, code="no_such_route"),
            error.status_code,
            error.headers,
        )

    handlers: dict[type[Exception], Any] = {
        Refusal: refused,
        RequestValidationError: invalid,
        HTTPException: unknown,
    }
    for kind, handler in handlers.items():
        typed: ExceptionHandler = handler
        app.add_exception_handler(kind, typed)


async def _fields(request: Request) -> dict[str, Any]:
    """The fields of a JSON or form body; a Refusal for any other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in FORMS:
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            return {
                name: value if not isinstance(value, UploadFile) else value.filename or "a file"
                for name, value in form.items()
            }
    if kind != "application/json":
        raise Refusal(
            415, "Send application/json or multipart/form-data.", code="unsupported_media_type"
        )
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise bad_request("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise bad_request("The body is not a JSON object.")
    return body
