#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn public headers into manual pages of section 3 (mdoc), and refuse undocumented functions.

    header2man.py --version V --date D HEADER        the page, on standard output
    header2man.py --list HEADER...                   the names of the exported functions
    header2man.py --structs HEADER...                the names of the structs that are not opaque
    header2man.py --check HEADER...                  complain only
    header2man.py --links MANDIR HEADER...           NAME.3 for each function, when installing

A header is read as the project writes it: a doc comment stands before what it describes, a function
has a line "@name: text" for each parameter and a paragraph "Return:" unless it returns void.
"""
import argparse
import os
import pathlib
import re
import sys

DECL_MACROS = ("PM_BEGIN_DECLS", "PM_END_DECLS")
ATTRIBUTES = r"PM_API|PM_MUST_USE|__attribute__\s*\(\(.*?\)\)\s*(?=;|$)"


class Problem(Exception):
    """A header that breaks the rules; the text names header and line."""


class Item:
    """One comment, directive or declaration of a header."""

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line


# --- reading -------------------------------------------------------------------------------------


def end_of_declaration(text, at):
    """The index after the declaration at 'at': its semicolon, or the brace that ends a body."""
    depth = 0
    is_body = False
    while at < len(text):
        if text.startswith("/*", at):
            at = text.index("*/", at) + 2
            continue
        c = text[at]
        if c == "{" and depth == 0:
            is_body = text[:at].rstrip().endswith(")")
        depth += (c in "{(") - (c in "})")
        at += 1
        if depth == 0 and (c == ";" or (c == "}" and is_body)):
            return at
    raise ValueError("declaration without end")


def end_of_directive(text, at):
    while True:
        end = text.find("\n", at)
        if end < 0:
            return len(text)
        if text[end - 1] != "\\":
            return end
        at = end + 1


def next_item(text, at):
    """(kind, end) of what begins at 'at'."""
    if text.startswith("/*", at):
        kind = "doc" if text.startswith("/**", at) else "comment"
        return kind, text.index("*/", at) + 2
    if text[at] == "#":
        return "directive", end_of_directive(text, at)
    for macro in DECL_MACROS:
        if text.startswith(macro, at):
            return "macro", at + len(macro)
    return "decl", end_of_declaration(text, at)


def items_of(text):
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        kind, end = next_item(text, at)
        yield Item(kind, text[at:end], text.count("\n", 0, at) + 1)
        at = end


def comment_lines(text):
    """The text of a doc comment without its stars."""
    body = re.sub(r"^/\*\*|\*/$", "", text)
    return [re.sub(r"^\s*\* ?", "", line).rstrip() for line in body.splitlines()]


def paragraphs(lines):
    """Lists of lines, split where a line is empty."""
    found = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [p for p in found if p]


def squeeze(text):
    return " ".join(text.split())


class Function:
    """An exported function: its prototype, and what its comment says."""

    def __init__(self, decl, line):
        plain = squeeze(re.sub(r"/\*.*?\*/", "", decl, flags=re.S))
        self.is_api = "PM_API" in plain
        self.must_use = "PM_MUST_USE" in plain
        plain = squeeze(re.sub(ATTRIBUTES, "", plain)).rstrip("; ")
        m = re.match(r"(.*?)\b(pm_\w+)\s*\((.*)\)$", plain)
        if not m:
            raise ValueError(f"can't read '{plain}'")
        self.type, self.name, self.line = m[1].strip(), m[2], line
        self.params = [] if m[3].strip() == "void" else split_params(m[3])
        self.summary, self.about, self.returns = "", [], []
        self.param_text = {}

    def param_names(self):
        return [param_name(p) for p in self.params]


def split_params(text):
    params, depth = [""], 0
    for c in text:
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            params.append("")
        else:
            params[-1] += c
    return [p.strip() for p in params]


def param_name(param):
    m = re.search(r"\(\*\s*(\w+)\)", param) or re.search(r"(\w+)(\[[^]]*\])*$", param)
    return m[1] if m else param


def read_params(fn, lines):
    """Takes the '@name: text' lines off the front; an empty line ends them."""
    name = None
    while lines:
        m = re.match(r"@(\w+):\s*(.*)", lines[0])
        if m:
            name = m[1]
            fn.param_text[name] = m[2]
        elif name and lines[0].strip():
            fn.param_text[name] += " " + lines[0].strip()
        else:
            return lines
        lines = lines[1:]
    return lines


def read_function_comment(fn, comment):
    lines = comment_lines(comment)
    while lines and not lines[0]:
        lines = lines[1:]
    m = re.match(r"(\w+) - (.*)", lines[0]) if lines else None
    if not m or m[1] != fn.name:
        raise ValueError(f"the comment of {fn.name}() does not begin '{fn.name} - summary'")
    fn.summary = m[2]
    lines = lines[1:]
    while lines and lines[0].strip() and not lines[0].startswith("@"):
        fn.summary += " " + lines[0].strip()
        lines = lines[1:]
    rest = read_params(fn, lines)
    for p in paragraphs(rest):
        if p[0].startswith("Return:"):
            fn.returns.append([p[0][len("Return:"):].strip()] + p[1:])
        elif fn.returns:
            fn.returns.append(p)
        else:
            fn.about.append(p)


def check_function(fn):
    """Problems of one function, as texts."""
    if not fn.is_api:
        yield f"{fn.name}() is not marked PM_API"
    names = fn.param_names()
    for name in names:
        if not fn.param_text.get(name, "").strip():
            yield f"{fn.name}(): no line '@{name}: text'"
    for name in fn.param_text:
        if name not in names:
            yield f"{fn.name}(): '@{name}' is not a parameter"
    if [n for n in fn.param_text if n in names] != [n for n in names if n in fn.param_text]:
        yield f"{fn.name}(): the parameters are described in another order"
    if fn.type != "void" and not any(" ".join(p).strip() for p in fn.returns):
        yield f"{fn.name}(): no paragraph 'Return: text'"
    if fn.type == "void" and fn.returns:
        yield f"{fn.name}(): returns nothing, but its comment says 'Return:'"
    if fn.type == "int" and not fn.must_use and "PM_E_" in str(fn.returns):
        yield f"{fn.name}(): returns errors and is not marked PM_MUST_USE"


def page_name(path):
    return "pm" if path.stem == "pm" else f"pm-{path.stem}"


class Header:
    """What a header declares, in its order."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.problems = []
        self.about, self.includes, self.macros = [], [], []
        self.types, self.functions, self.opaque = [], [], []
        self._depth = 0
        doc = None
        for item in items_of(self.path.read_text(encoding="utf-8")):
            doc = self._take(item, doc)
        if not self.about:
            self._complain(1, "no comment '@file'")

    @property
    def page(self):
        """pm-report for report.h, and pm for pm.h."""
        return page_name(self.path)

    def _complain(self, line, text):
        self.problems.append(f"{self.path}:{line}: {text}")

    def _take(self, item, doc):
        """Notes one item; returns the doc comment that waits for what it describes."""
        if item.kind == "doc":
            lines = comment_lines(item.text)
            if re.match(r"\s*@file\b", lines[0]):
                self.about = paragraphs(lines[1:])
                return None
            return item
        if item.kind == "directive":
            self._directive(item, doc)
        elif item.kind == "decl":
            self._declaration(item, doc)
        return None

    def _directive(self, item, doc):
        word = re.match(r"#\s*(\w+)", item.text)[1]
        if word in ("if", "ifdef", "ifndef"):
            self._depth += 1
        elif word == "endif":
            self._depth -= 1
        elif word == "include":
            self.includes.append(re.search(r"[<\"](.*?)[>\"]", item.text)[1])
        elif word == "define" and self._depth <= 1:
            m = re.match(r"#\s*define\s+(\w+(?:\([^)]*\))?)\s*(.*)", item.text, re.S)
            if m[2]:
                value = squeeze(re.sub(r"\\\n", " ", re.sub(r"/\*.*?\*/", "", m[2], flags=re.S)))
                self.macros.append((m[1], value, paragraphs(comment_lines(doc.text)) if doc else []))

    def _declaration(self, item, doc):
        if re.match(r"(struct|enum|union)\s+\w+\s*;", item.text):
            self.opaque.append((squeeze(item.text).rstrip("; "), doc))
        elif re.match(r"(struct|enum|union)\s+\w+\s*\{", item.text):
            self.types.append((item, doc))
            self._check_members(item, doc)
        elif item.text.startswith("typedef"):
            self.types.append((item, doc))
        else:
            self._function(item, doc)

    def _check_members(self, item, doc):
        if not doc and item.text.startswith("struct"):
            self._complain(item.line, f"{type_name(item)} has no comment")
        for name, _, text, offset in members_of(item.text):
            if not text:
                self._complain(item.line + offset, f"{type_name(item)}: {name} has no comment")

    def _function(self, item, doc):
        try:
            fn = Function(item.text, item.line)
            if not doc:
                raise ValueError(f"{fn.name}() has no comment")
            read_function_comment(fn, doc.text)
        except ValueError as e:
            self._complain(item.line, str(e))
            return
        self.functions.append(fn)
        for text in check_function(fn):
            self._complain(item.line, text)


def type_name(item):
    return squeeze(re.match(r"(?:typedef\s+)?[^{;]*", item.text)[0])


def members_of(text):
    """(name, declaration, comment paragraphs, line offset) of each enum value or struct field."""
    body_at = text.index("{") + 1
    body = text[body_at:text.rindex("}")]
    is_enum = text.startswith("enum")
    doc = []
    token = re.compile(r"/\*\*(?P<doc>.*?)\*/|/\*.*?\*/|(?P<member>[^\s/,;][^,;]*?(?=\s*/\*|[,;]|\s*$))|[,;]"
                       if is_enum else
                       r"/\*\*(?P<doc>.*?)\*/|/\*.*?\*/|(?P<member>[^\s/;][^;]*);|[\s;]", re.S)
    for m in token.finditer(body):
        if m["doc"] is not None:
            doc = paragraphs(comment_lines("/**" + m["doc"] + "*/"))
        elif m["member"]:
            member = squeeze(m["member"])
            name = member.split("=")[0].strip() if is_enum else field_name(member)
            offset = text.count("\n", 0, body_at + m.start("member"))
            yield name, member, doc, offset
            doc = []


def field_name(member):
    m = re.search(r"\(\*\s*(\w+)\)", member)
    if m:
        return m[1]
    words = re.findall(r"(\w+)\s*(?:\[[^]]*\])*\s*(?:,|$|:)", member)
    return ", ".join(words) if words else member


# --- writing -------------------------------------------------------------------------------------

TRAILING = r"([.,;:)\]]*)$"
INLINE = (
    (re.compile(r"^(pm_\w+)\(\)" + TRAILING), "Fn"),
    (re.compile(r"^(PM_[A-Z0-9_]+)" + TRAILING), "Dv"),
    (re.compile(r"^@(\w+)" + TRAILING), "Fa"),
)
PAGE = re.compile(r"^(pm-[\w-]+)\((\d)\)" + TRAILING)
TYPE = re.compile(r"^(pm_\w+)" + TRAILING)


def escape(text):
    text = text.replace("\\", "\\e")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return "\\&" + text if text[:1] in (".", "'") else text


def macro_line(macro, argument, trailing):
    return " ".join([f".{macro} {argument}"] + list(trailing))


def marked(word, before):
    """The macro line for a word that has one, or None; 'before' is the word before it."""
    if before in ("struct", "enum"):
        m = TYPE.match(word)
        return m and macro_line("Vt", f'"{before} {m[1]}"', m[2])
    m = PAGE.match(word)
    if m:
        return macro_line("Xr", f"{m[1]} {m[2]}", m[3])
    for pattern, macro in INLINE:
        m = pattern.match(word)
        if m:
            return macro_line(macro, m[1], m[2])
    return None


def ends_sentence(word):
    return re.search(r"[.!?]\)?$", word) and not re.search(r"^(e\.g|i\.e|etc|sec)\.$", word)


def flow(text):
    """Running text: one sentence a line, names as macros."""
    lines, run, words = [], [], text.split()

    def flush():
        if run:
            lines.append(escape(" ".join(run)))
        run.clear()

    i = 0
    while i < len(words):
        step = 2 if words[i] in ("struct", "enum") and i + 1 < len(words) else 1
        line = marked(words[i + step - 1], words[i] if step == 2 else "")
        if line is None:
            run.append(words[i])
            step = 1
            if ends_sentence(words[i]):
                flush()
        else:
            flush()
            lines.append(line)
        i += step
    flush()
    return lines


def literal(lines):
    return [".Bd -literal -offset indent"] + [escape(x.expandtabs(8)) or "\\&" for x in lines] + [".Ed"]


def bullets(lines):
    out, texts = [".Bl -bullet -compact"], []
    for line in lines:
        if line.startswith("- "):
            texts.append(line[2:])
        else:
            texts[-1] += " " + line.strip()
    for text in texts:
        out += [".It"] + flow(text)
    return out + [".El"]


def block(lines):
    """One paragraph of a comment: a list, an indented example, or running text."""
    if lines[0].startswith("- "):
        return bullets(lines)
    if all(line.startswith("    ") or line.startswith("\t") for line in lines):
        return literal(line[1:] if line[0] == "\t" else line[4:] for line in lines)
    return flow(" ".join(lines))


def blocks(found):
    out = []
    for p in found:
        if out and not p[0].startswith("    "):
            out.append(".Pp")
        out += block(p)
    return out


def sentence(text):
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def function_synopsis(fn):
    out = [f'.Ft "{fn.type}"', f".Fo {fn.name}"]
    return out + [f'.Fa "{p}"' for p in fn.params or ["void"]] + [".Fc"]


def function_section(fn):
    out = [f".Ss {fn.name}()"] + flow(sentence(fn.summary))
    if fn.params:
        out.append(".Bl -tag -width Ds")
        for name in fn.param_names():
            out += [f".It Fa {name}"] + flow(fn.param_text.get(name, ""))
        out.append(".El")
    for p in fn.about:
        out += [".Pp"] + block(p)
    for i, p in enumerate(fn.returns):
        out.append(".Pp")
        out += ["Returns"] + block(p) if i == 0 else block(p)
    return out


def strip_comments(text):
    text = re.sub(r"[ \t]*/\*.*?\*/[ \t]*\n?", lambda m: "\n" if "\n" in m[0] else "", text, flags=re.S)
    return [line for line in text.splitlines() if line.strip()]


def type_section(item, doc):
    out = [f".Ss {escape(type_name(item))}"]
    out += blocks(paragraphs(comment_lines(doc.text))) if doc else []
    out += literal(strip_comments(item.text))
    members = list(members_of(item.text)) if "{" in item.text else []
    if members:
        macro = "Dv" if item.text.startswith("enum") else "Fa"
        out.append(".Bl -tag -width Ds")
        for name, _, text, _ in members:
            out += [f'.It {macro} "{name}"'] + blocks(text)
        out.append(".El")
    return out


def opaque_section(name, doc):
    return [f".Ss {name}"] + blocks(paragraphs(comment_lines(doc.text))) if doc else []


def macro_section(macros):
    out = [".Ss Macros", ".Bl -tag -width Ds"]
    for name, value, text in macros:
        shown = "" if "(" in name else f" {value}" if len(value) <= 40 else ""
        out += [f'.It Dv "{escape(name)}{escape(shown)}"'] + blocks(text)
    return out + [".El"]


def name_section(header):
    first = re.split(r"(?<=\.)\s", squeeze(" ".join(header.about[0])))[0].rstrip(".")
    names = [header.page] + [fn.name for fn in header.functions]
    out = [f".Nm {n} ," for n in names[:-1]] + [f".Nm {names[-1]}"]
    return [".Sh NAME"] + out + [f".Nd {escape(first[:1].lower() + first[1:])}"]


def see_also(header):
    names = sorted(page_name(p) for p in header.path.parent.glob("*.h"))
    names.remove(header.page)
    if not names:
        return []
    lines = [f".Xr {n} 3 ," for n in names[:-1]] + [f".Xr {names[-1]} 3"]
    return [".Sh SEE ALSO"] + lines


def page(header, version, date):
    out = [f".\\\" Made from include/pm/{header.path.name} by header2man.py; do not edit.",
           f".Dd {date}", f".Dt {header.page.upper()} 3", f".Os libpm {version}"]
    out += name_section(header)
    out += [".Sh LIBRARY", "libpm", ".Pq Fl lpm"]
    out += [".Sh SYNOPSIS", f".In pm/{header.path.name}"]
    for fn in header.functions:
        out += function_synopsis(fn)
    out += [".Sh DESCRIPTION"] + blocks(header.about)
    if header.macros:
        out += macro_section(header.macros)
    for name, doc in header.opaque:
        out += opaque_section(name, doc)
    for item, doc in header.types:
        out += type_section(item, doc)
    for fn in header.functions:
        out += function_section(fn)
    return "\n".join(out + see_also(header)) + "\n"


def make_links(mandir, headers):
    """A page for each function's name, pointing at its header's, in the folder being installed."""
    root = pathlib.Path(os.environ.get("MESON_INSTALL_DESTDIR_PREFIX", "/")) / mandir / "man3"
    root.mkdir(parents=True, exist_ok=True)
    for header in headers:
        for fn in header.functions:
            link = root / f"{fn.name}.3"
            link.unlink(missing_ok=True)
            link.symlink_to(f"{header.page}.3")


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--version", default="")
    p.add_argument("--date", default="")
    p.add_argument("--list", action="store_true")
    p.add_argument("--structs", action="store_true")
    p.add_argument("--check", action="store_true")
    p.add_argument("--links", metavar="MANDIR")
    p.add_argument("headers", nargs="+")
    return p.parse_args()


def main():
    args = parse_arguments()
    headers = [Header(h) for h in args.headers]
    problems = [p for h in headers for p in h.problems]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    if args.list:
        print("\n".join(fn.name for h in headers for fn in h.functions))
    elif args.structs:
        print("\n".join(type_name(i) for h in headers for i, _ in h.types
                        if i.text.startswith("struct")))
    elif args.links:
        make_links(args.links, headers)
    elif not args.check:
        for h in headers:
            sys.stdout.write(page(h, args.version, args.date))
    return 0


if __name__ == "__main__":
    sys.exit(main())
