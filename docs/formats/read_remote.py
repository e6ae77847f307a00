"""Writes one object of a remote without mlv: python3 read_remote.py DIRECTORY-OF-THE-REMOTE OID-OF-A-POINTER TARGET
Needs Python 3.9; for remotes that name their objects by BLAKE3 also `pip install blake3`. TARGET must not exist."""
import io, json, os, sys, zlib
from pathlib import Path

def check(right, what):
    if not right: sys.exit(f"damaged: {what}")

def path_of(kind, name): return REMOTE / kind / HASH / name.hex()[:2] / name.hex()

def number(stream):  # unsigned LEB128
    value = shift = 0
    while (byte := stream.read(1)[0]) >= 0x80:
        value, shift = value | (byte & 0x7F) << shift, shift + 7
    return value | byte << shift

def chunks(body, packs, count, known=None):  # the raw bytes of each, read from the range of a pack that the body names
    for _ in range(count):
        name, length = known or (body.read(32), number(body))
        pack, offset, codec = packs[number(body)], number(body), body.read(1)[0]
        check(codec <= 1, "a codec that this reader does not know")
        with path_of("packs", pack).open("rb") as file:
            file.seek(offset)
            data = file.read(number(body) if codec else length)
        if codec: data = zlib.decompressobj(-15).decompress(data, length)
        check(len(data) == length and hasher(data).digest() == name, f"chunk {name.hex()} in pack {pack.hex()}")
        yield data

def write_file(target, oid, parts, mode):
    whole = hasher()
    with open(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        for part in parts: whole.update(part), file.write(part)
    check(whole.digest() == oid, target)

def write_object(target, oid, mode=0o666, directory=False):
    path = path_of("records", oid)
    data = (path if path.exists() else path_of("gc/aside/records", oid)).read_bytes()
    check(data[:8] == b"mlvrecd\x01" and hasher(data[:-32]).digest() == data[-32:], path)
    kind, body = data[8:9], io.BytesIO(data[9:-32])
    size = number(body)
    content = body.read(size) if kind != b"c" else b""
    packs = [body.read(32) for _ in range(number(body))] if kind != b"i" else []
    if kind == b"t" and directory: return write_tree(target, oid, content, body, packs)
    write_file(target, oid, chunks(body, packs, number(body)) if kind == b"c" else [content], mode)

def write_tree(target, oid, content, body, packs):
    check(hasher(content).digest() == oid, f"the tree of {target}")
    target.mkdir()
    tree = io.BytesIO(content[8:])
    while kind := tree.read(1):
        path = target / (name := tree.read(number(tree)).decode())
        check(name not in ("", ".", "..", ".git") and "/" not in name and "\0" not in name, f"the name {name!r}")
        if kind == b"l":
            link = tree.read(number(tree)).decode()
            check(TARGET in Path(os.path.abspath(target / link)).parents, f"the link {name!r}")
            path.symlink_to(link)
            continue
        size, _files_below, oid = number(tree), kind == b"t" and number(tree), tree.read(32)
        mode, place = 0o777 if kind == b"x" else 0o666, 0 if kind == b"t" else number(body)
        if place == 0: write_object(path, oid, mode, directory=kind == b"t")
        else: write_file(path, oid, chunks(body, packs, place - 1, (oid, size) if place == 2 else None), mode)

REMOTE, (HASH, ROOT), TARGET = Path(sys.argv[1]), sys.argv[2].split(":"), Path(os.path.abspath(sys.argv[3]))
if HASH == "sha256": from hashlib import sha256 as hasher
else: from blake3 import blake3 as hasher
INFO = json.loads((REMOTE / "mlv.json").read_text("utf-8"))
check(INFO["mlv"] == 1 and INFO["hash"] == HASH, "mlv.json is of another version, or has another algorithm")
write_object(TARGET, bytes.fromhex(ROOT), directory=True)
