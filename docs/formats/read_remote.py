"""Writes one object of an mlv remote without mlv: python3 read_remote.py REMOTE OID TARGET

REMOTE is the remote as a directory (what a copy of the bucket is), OID is what a pointer says, TARGET must not exist.
Needs Python 3.9; for remotes that name their objects by BLAKE3 also `pip install blake3`.
"""
import hashlib, io, json, os, sys, zlib

def hasher():
    if HASH == "sha256": return hashlib.sha256()
    import blake3
    return blake3.blake3()

def digest(data):
    whole = hasher()
    whole.update(data)
    return whole.digest()

def number(stream):  # unsigned LEB128
    value = shift = 0
    while (byte := stream.read(1)[0]) >= 0x80:
        value, shift = value | (byte & 0x7F) << shift, shift + 7
    return value | byte << shift

def check(right, what):
    if not right: sys.exit(f"damaged: {what}")

def path_of(kind, name): return os.path.join(REMOTE, *kind.split("/"), HASH, name.hex()[:2], name.hex())

def record(oid):  # -> kind, body
    path = path_of("records", oid)
    with open(path if os.path.exists(path) else path_of("gc/aside/records", oid), "rb") as file: data = file.read()
    check(digest(data[:-32]) == data[-32:] and data[:8] == b"mlvrecd\x01", path)
    return data[8:9], io.BytesIO(data[9:-32])

def pack_list(body): return [body.read(32) for _ in range(number(body))]

def chunk(body, packs, name, length):  # reads a place, gives the raw bytes that are there
    pack, offset, codec = packs[number(body)], number(body), body.read(1)[0]
    check(codec <= 1, "a codec that this reader does not know")
    with open(path_of("packs", pack), "rb") as file:
        file.seek(offset)
        data = file.read(number(body) if codec else length)
    if codec == 1: data = zlib.decompressobj(-15).decompress(data, length)
    check(len(data) == length and digest(data) == name, f"chunk {name.hex()} in pack {pack.hex()}")
    return data

def chunks(body, packs, count): return (chunk(body, packs, body.read(32), number(body)) for _ in range(count))

def write_file(target, oid, parts, mode=0o666):
    whole = hasher()
    with open(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        for part in parts: whole.update(part), file.write(part)
    check(whole.digest() == oid, target)

def write_object(target, oid, mode=0o666, directory=False):
    kind, body = record(oid)
    size = number(body)
    if kind == b"c":
        packs = pack_list(body)
        return write_file(target, oid, chunks(body, packs, number(body)), mode)
    content = body.read(size)
    check(kind in b"it" and digest(content) == oid, f"the record of {oid.hex()}")
    if kind == b"i" or not directory: return write_file(target, oid, [content], mode)
    os.mkdir(target)
    tree, packs = io.BytesIO(content[8:]), pack_list(body)
    while kind := tree.read(1):
        name = tree.read(number(tree)).decode()
        check(name not in ("", ".", "..") and "/" not in name and "\0" not in name, f"the name {name!r}")
        path = os.path.join(target, name)
        if kind == b"l":
            link = tree.read(number(tree)).decode()
            check(os.path.abspath(os.path.join(target, link)).startswith(TARGET + os.sep), f"the link {name!r}")
            os.symlink(link, path)
        elif kind == b"t": write_object(path, (number(tree), number(tree), tree.read(32))[2], directory=True)
        else:
            size, oid, mode, place = number(tree), tree.read(32), 0o777 if kind == b"x" else 0o666, number(body)
            if place == 0: write_object(path, oid, mode)
            elif place == 2: write_file(path, oid, [chunk(body, packs, oid, size)], mode)
            else: write_file(path, oid, chunks(body, packs, place - 1), mode)  # place 1: no chunk, an empty file

REMOTE, OID, TARGET = sys.argv[1], sys.argv[2], os.path.abspath(sys.argv[3])
with open(os.path.join(REMOTE, "mlv.json"), encoding="utf-8") as file: INFO = json.load(file)
HASH, HEX = OID.split(":")
check(INFO["mlv"] == 1 and INFO["hash"] == HASH, "mlv.json is of another version, or names objects by another algorithm")
write_object(TARGET, bytes.fromhex(HEX), directory=True)
