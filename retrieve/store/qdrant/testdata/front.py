"""A thin HTTP front before the local mode of the real qdrant-client, for tests.

Usage: python front.py PORT. It takes the requests of Qdrant's REST API that the Go package
sends, lets the client's own models check them, and refuses what is not in them. What a
filter means is the client's business, not this file's.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from qdrant_client import QdrantClient, models

client = QdrantClient(":memory:")
lock = threading.Lock()


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def plain(value):
    return json.loads(value.model_dump_json(exclude_none=False))


def known(body, *names):
    for name in body:
        if name not in names:
            raise Refused(400, f"unknown field {name}")


def needs_wait(query):
    if query.get("wait") != ["true"]:
        raise Refused(400, "the test wants wait=true")


def answer(method, parts, query, body):
    if parts == ["healthz"]:
        return "ok"
    if len(parts) < 2 or parts[0] != "collections":
        raise Refused(404, "no such path")
    name, rest = parts[1], parts[2:]
    exists = client.collection_exists(name)
    if not rest and method == "PUT":
        known(body, "vectors")
        if exists:
            raise Refused(409, f"Collection `{name}` already exists!")
        return client.create_collection(name, vectors_config=models.VectorParams(**body["vectors"]))
    if not exists:
        raise Refused(404, f"Collection `{name}` doesn't exist!")
    if not rest and method == "GET":
        return plain(client.get_collection(name))
    if rest == ["index"] and method == "PUT":
        needs_wait(query)
        known(body, "field_name", "field_schema")
        models.PayloadSchemaType(body["field_schema"])
        client.create_payload_index(name, body["field_name"], body["field_schema"])
        return {"status": "completed"}
    if rest == ["points"] and method == "PUT":
        needs_wait(query)
        known(body, "points")
        points = [models.PointStruct(**p) for p in body["points"]]
        size = client.get_collection(name).config.params.vectors.size
        for p in points:
            if len(p.vector) != size:
                raise Refused(400, f"Vector dimension error: expected dim: {size}, got {len(p.vector)}")
        return {"status": client.upsert(name, points, wait=True).status.value}
    if rest == ["points"] and method == "POST":
        known(body, "ids", "with_payload", "with_vector")
        found = client.retrieve(name, body["ids"], with_payload=body["with_payload"], with_vectors=body["with_vector"])
        return [plain(p) for p in found]
    if rest == ["points", "delete"] and method == "POST":
        needs_wait(query)
        known(body, "points")
        client.delete(name, models.PointIdsList(points=body["points"]), wait=True)
        return {"status": "completed"}
    if rest == ["points", "query"] and method == "POST":
        known(body, "query", "limit", "filter", "params", "with_payload", "with_vector")
        if body["limit"] < 1:
            raise Refused(422, "limit must be at least 1")
        where = models.Filter(**body["filter"]) if "filter" in body else None
        params = models.SearchParams(**body["params"]) if "params" in body else None
        found = client.query_points(
            name, query=body["query"], limit=body["limit"], query_filter=where, search_params=params,
            with_payload=body["with_payload"], with_vectors=body["with_vector"])
        return plain(found)
    if rest == ["points", "scroll"] and method == "POST":
        known(body, "limit", "offset", "with_payload", "with_vector")
        found, following = client.scroll(
            name, limit=body["limit"], offset=body.get("offset"),
            with_payload=body["with_payload"], with_vectors=body["with_vector"])
        return {"points": [plain(p) for p in found], "next_page_offset": following}
    raise Refused(404, "no such path")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        url = urlsplit(self.path)
        parts = [unquote(p) for p in url.path.split("/") if p]
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(data) if data else {}
            with lock:
                result = answer(self.command, parts, parse_qs(url.query), body)
            status, out = 200, {"result": result, "status": "ok", "time": 0}
        except Refused as e:
            status, out = e.status, {"status": {"error": str(e)}, "time": 0}
        except Exception as e:  # the models' own checks
            status, out = 400, {"status": {"error": f"{type(e).__name__}: {e}"}, "time": 0}
        data = json.dumps(out).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
