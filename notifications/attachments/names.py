"""What a file may be called, and what kind it is: by its name, checked against what else is known of it."""

import mimetypes
import re
import unicodedata

MAX_LENGTH = 150  # characters of a name
ANY_TYPE = "application/octet-stream"

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")  # RFC 6838 §4.2
_LINES_AND_DIRECTIONS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # categories; U+202E makes "exe.pdf" of "fdp.exe"

# What mailboxes refuse because it runs when it is opened.
# Source: Gmail's list of blocked types (support.google.com/mail/answer/6590), and scripts of other shells.
_RUNS = {
    "ade", "adp", "apk", "appx", "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl", "diagcab", "diagcfg",
    "diagpkg", "dll", "dmg", "ex", "ex_", "exe", "hta", "img", "ins", "iso", "isp", "jar", "jnlp", "js", "jse",
    "lib", "lnk", "mde", "mjs", "msc", "msi", "msix", "msixbundle", "msp", "mst", "nsh", "pif", "ps1", "scr", "sct",
    "shb", "sys", "vb", "vbe", "vbs", "vhd", "vxd", "wsc", "wsf", "wsh", "xll", "application", "bash", "command",
    "csh", "deb", "gadget", "ksh", "msh", "pkg", "ps1xml", "ps2", "psc1", "psm1", "reg", "rpm", "run", "scf", "sh",
    "url", "zsh",
}  # fmt: skip
_TYPES_THAT_RUN = {
    "application/hta", "application/java-archive", "application/javascript",
    "application/vnd.android.package-archive", "application/vnd.microsoft.portable-executable",
    "application/x-apple-diskimage", "application/x-bat", "application/x-csh", "application/x-dosexec",
    "application/x-elf", "application/x-executable", "application/x-java-archive", "application/x-javascript",
    "application/x-mach-binary", "application/x-ms-installer", "application/x-ms-shortcut",
    "application/x-msdos-program", "application/x-msdownload", "application/x-msi", "application/x-powershell",
    "application/x-sh", "application/x-sharedlib", "application/x-shellscript", "text/javascript",
}  # fmt: skip
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
_BY_SUFFIX = {
    # Python's own table and not the machine's: the same file is of the same type everywhere.
    **mimetypes.MimeTypes().types_map[True],
    ".7z": "application/x-7z-compressed",
    ".asc": "application/pgp-signature",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".ics": "text/calendar",
    ".md": "text/markdown",
    ".odp": f"{_OPEN_DOCUMENT}.presentation",
    ".ods": f"{_OPEN_DOCUMENT}.spreadsheet",
    ".odt": f"{_OPEN_DOCUMENT}.text",
    ".pkpass": "application/vnd.apple.pkpass",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".rtf": "application/rtf",
    ".webp": "image/webp",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
# Other names of a type that are in use.
_SAME = {
    "application/csv": "text/csv",
    "application/x-gzip": "application/gzip",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
    "image/jpg": "image/jpeg",
    "image/x-png": "image/png",
    "text/rtf": "application/rtf",
    "text/x-vcard": "text/vcard",
    "text/xml": "application/xml",
}
_PROGRAMS = (
    b"\x7fELF",
    *(
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ),  # Mach-O
    b"#!/",
)


class Unfit(ValueError):
    """The file may not go out under this name, or as what it is. The message is a sentence."""


def cleaned(name: str) -> str:
    """Return a file's own name, without the folders before it and the blanks and dots around it. Raises Unfit."""
    if any(unicodedata.category(character) in _LINES_AND_DIRECTIONS for character in name):
        raise Unfit("A file's name holds no line ends, control characters or signs that turn its direction.")
    own = " ".join(re.split(r"[/\\]", name)[-1].split()).strip(" .")
    if not own:
        raise Unfit("A file has a name, such as invoice.pdf.")
    if len(own) > MAX_LENGTH:
        raise Unfit(f"A file's name may have {MAX_LENGTH} characters.")
    if _suffix(own)[1:] in _RUNS:
        raise Unfit("Mailboxes refuse files that run when they are opened.")
    return own


def content_type(name: str, stated: str = "") -> str:
    """Return the type of a file with a clean name; "" where neither it nor `stated` says. Raises Unfit.

    `stated` may come with parameters, which are dropped, and must not contradict the name.
    """
    by_name = _BY_SUFFIX.get(_suffix(name), "")
    given = plain(stated)
    if stated and not _TYPE.fullmatch(given):
        raise Unfit("A content type has the form application/pdf.")
    if given in _TYPES_THAT_RUN:
        raise Unfit("Mailboxes refuse files that run when they are opened.")
    if by_name and given not in ("", ANY_TYPE, by_name):
        raise Unfit(f"By its name the file is {by_name}.")
    found = by_name or given
    # A mail or a multipart may not be encoded as a file has to be (RFC 2046 §5.2.1).
    return ANY_TYPE if found.startswith(("message/", "multipart/")) else found


def plain(content_type: str) -> str:
    """Return a type in its usual spelling, without parameters."""
    given = content_type.partition(";")[0].strip().lower()
    return _SAME.get(given, given)


def is_program(content: bytes) -> bool:
    """Tell whether a content is a program, whatever the file is called."""
    if content.startswith(b"MZ"):  # Windows; its head is no text
        return b"\0" in content[:64]
    return content.startswith(_PROGRAMS)


def _suffix(name: str) -> str:
    """Return ".pdf", in small letters; "" where there is none."""
    own, dot, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if own and dot else ""
