"""A very small S3 server for the tests: objects in memory; put (in parts, if absent), get, head, list, delete.

Started as a process of its own (`python tiny_s3.py REQUESTS`), because a server in the test's own process could be kept
waiting by the client it serves. Says its port; writes a line a request to the file REQUESTS: method, path, and the
access key it was signed with.
"""

import re
import sys
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

OBJECTS: dict[str, tuple[bytes, int]] = {}
PARTS: dict[str, dict[int, bytes]] = {}
LOCK = Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20

    def log_message(self, *_: object) -> None:
        pass

    def asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return unquote(parts.path), {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        key = re.search(r"Credential=([^/]*)/", self.headers.get("Authorization", ""))
        with LOCK, Path(sys.argv[1]).open("a") as requests:
            requests.write(f"{self.command} {self.path} {key.group(1) if key else 'unsigned'}\n")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, query = self.asked()
        if "uploadId" in query:
            PARTS[query["uploadId"]][int(query["partNumber"])] = body
            return self.answer(200, ETag=f'"{query["partNumber"]}"')
        with LOCK:
            if self.headers.get("If-None-Match") == "*" and path in OBJECTS:
                return self.fault(412, "PreconditionFailed")
            OBJECTS[path] = (body, len(OBJECTS) + 1)
            tag = OBJECTS[path][1]
        return self.answer(200, ETag=f'"{tag}"')

    def do_GET(self) -> None:
        path, query = self.asked()
        if "list-type" in query:
            return self.listing(path.strip("/"), query)
        stored = OBJECTS.get(path)
        if stored is None:
            return self.fault(404, "NoSuchKey")
        body, tag = stored
        headers = {"ETag": f'"{tag}"', "Last_Modified": formatdate(usegmt=True)}
        if span := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(span.group(1)), min(int(span.group(2) or len(body) - 1), len(body) - 1)
            headers["Content_Range"] = f"bytes {first}-{last}/{len(body)}"
            return self.answer(206, body[first : last + 1], **headers)
        if self.command == "HEAD":
            headers["Content_Length"] = str(len(body))
        return self.answer(200, body, **headers)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        with LOCK:
            OBJECTS.pop(self.asked()[0], None)
        self.answer(204)

    def do_POST(self) -> None:
        """Begin or end an object in parts, or delete several objects at once."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path, query = self.asked()
        if "uploads" in query:
            with LOCK:
                upload = f"upload-{len(PARTS)}"
                PARTS[upload] = {}
            return self.answer(
                200,
                f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode(),
            )
        if "uploadId" in query:
            parts = PARTS[query["uploadId"]]
            with LOCK:
                OBJECTS[path] = (b"".join(parts[number] for number in sorted(parts)), len(OBJECTS) + 1)
            done = "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>"
            return self.answer(200, done.encode())
        bucket = path.strip("/")
        keys = re.findall(r"<Key>(.*?)</Key>", body)
        with LOCK:
            for key in keys:
                OBJECTS.pop(f"/{bucket}/{key}", None)
        gone = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return self.answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

    def listing(self, bucket: str, query: dict[str, str]) -> None:
        prefix, delimiter, after = (query.get(name, "") for name in ("prefix", "delimiter", "start-after"))
        contents, folders = [], set()
        for path in sorted(OBJECTS):
            key = path.removeprefix(f"/{bucket}/")
            if key == path or not key.startswith(prefix) or key <= after:
                continue
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                continue
            body, tag = OBJECTS[path]
            contents.append(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size><ETag>{tag}</ETag>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            )
        common = "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in sorted(folders))
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(contents)}{common}</ListBucketResult>"
        self.answer(200, body.encode())


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.exit(server.serve_forever())
