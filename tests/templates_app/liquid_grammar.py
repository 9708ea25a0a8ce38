"""Random templates and random data for them, by Liquid's grammar: most render, some hold what renders to a fault."""

from typing import Any

from hypothesis import strategies as st

_NAMES = ["user", "items", "count", "title", "flag", "order", "nothing", "x", "y", "i", "j", "missing"]
_KEYS = ["name", "items", "price", "size", "first", "last", "a-b", "tags"]
_LITERALS = [
    "'a'",
    "''",
    "' '",
    '"<b>&\'"',
    "'ä„€😀'",
    "0",
    "1",
    "2",
    "-3",
    "2.5",
    "true",
    "false",
    "nil",
    "empty",
    "blank",
]
_LITERALS += ["(1..3)", "(count..4)", "'name'", "'now'", "0.0", "-0.0", "10000000000000000000000"]
_ABOUT_LOOPS = ["index", "index0", "rindex", "rindex0", "first", "last", "length", "name", "parentloop.index", "other"]
_FILTERS = [
    "upcase",
    "downcase",
    "capitalize",
    "size",
    "first",
    "last",
    "join",
    "join: ', '",
    "sort",
    "reverse",
    "json",
]
_FILTERS += [
    "default: 'd'",
    "default: nil",
    "default: x, allow_false: true",
    "append: '!'",
    "append: title",
    "prepend: count",
]
_FILTERS += [
    "plus: 1",
    "minus: count",
    "times: 2",
    "divided_by: 2",
    "divided_by: 0",
    "modulo: 3",
    "round: 1",
    "abs",
    "ceil",
]
_FILTERS += [
    "truncate: 5",
    "truncatewords: 2",
    "strip",
    "strip_html",
    "newline_to_br",
    "escape",
    "escape_once",
    "url_encode",
]
_FILTERS += [
    "replace: 'a', 'b'",
    "remove: 'a'",
    "split: ''",
    "split: ' '",
    "slice: 0, 2",
    "map: 'name'",
    "where: 'name', 'a'",
]
_FILTERS += ["uniq", "compact", "sum", "concat: items", "number", "number: 2", "percent", "money: 'EUR'", "at_most: 2"]
_FILTERS += ["local_date", "date: '%Y'", "nope", "upcase: 1", "append", "default: 'a', other: 1", "strip_newlines"]
_FOREVER = st.sampled_from(
    ["", "", "", "reversed", "limit: 2", "offset: 1", "limit: count", "offset: x, limit: 1 reversed"]
)
_TEXTS = ["", " ", "\n", "  \n ", "text", "<p>\"'&</p>", "ä„€😀", "{ }", "\\", '\'"""', "{{{'{'}}", "\t"]
_BARE = [
    "{% break %}",
    "{% continue %}",
    "{% increment n %}",
    "{% decrement n %}",
    "{% cycle 'a', 'b', x %}",
    "{{ n }}",
]
_BARE += [
    "{% comment %}{{ x }}{% endcomment %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{% # note %}",
    "{% cycle title: 1, 2 %}",
]
_BARE += ["{% liquid\n assign y = x\n echo y | upcase\n if flag\n echo 1\n endif %}", "{{ partial }}", "{{ forloop }}"]
_BARE += ["{% tablerow i in items %}{{ i }}{% endtablerow %}", "{% ifchanged %}{{ x }}{% endifchanged %}"]

_keys = st.sampled_from(_KEYS)
_steps = st.one_of(
    _keys.filter(lambda key: "-" not in key).map(lambda key: f".{key}"),
    _keys.map(lambda key: f"['{key}']"),
    st.integers(-2, 2).map(lambda index: f"[{index}]"),
    st.sampled_from(_NAMES).map(lambda name: f"[{name}]"),
)
paths = st.one_of(
    st.builds(lambda name, steps: name + "".join(steps), st.sampled_from(_NAMES), st.lists(_steps, max_size=3)),
    st.sampled_from(_ABOUT_LOOPS).map(lambda what: f"forloop.{what}"),
)
primitives = st.one_of(paths, paths, st.sampled_from(_LITERALS))
filters = st.lists(st.sampled_from(_FILTERS), max_size=3).map(lambda names: "".join(f" | {name}" for name in names))
values = st.builds(lambda left, filters: left + filters, primitives, filters)
comparisons = st.builds(
    lambda left, sign, right: f"{left} {sign} {right}",
    primitives,
    st.sampled_from(["==", "!=", "<>", "<", ">", "<=", ">=", "contains"]),
    primitives,
)
conditions = st.lists(st.one_of(primitives, comparisons), min_size=1, max_size=3).flatmap(
    lambda tests: st.lists(st.sampled_from(["and", "or"]), min_size=len(tests) - 1, max_size=len(tests) - 1).map(
        lambda signs: tests[0] + "".join(f" {sign} {test}" for sign, test in zip(signs, tests[1:], strict=True))
    )
)
_trims = st.sampled_from([("{{", "}}"), ("{{-", "}}"), ("{{", "-}}")])
outputs = st.builds(lambda trim, value: f"{trim[0]} {value} {trim[1]}", _trims, values)
leaves = st.one_of(
    st.sampled_from(_TEXTS),
    outputs,
    outputs,
    st.sampled_from(_BARE),
    st.builds(lambda name, value: f"{{%- assign {name} = {value} %}}", st.sampled_from(["x", "y", "user"]), values),
    values.map(lambda value: f"{{% echo {value} %}}"),
)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    maybe = st.one_of(st.just(""), inner.map(lambda body: "{% else %}" + body))
    branches = st.one_of(st.just(""), st.builds(lambda test, body: f"{{% elsif {test} %}}{body}", conditions, inner))
    whens = st.lists(st.sampled_from(["'a'", "1", "2", "''", "nil", "x", "'a', 'b'", "1 or 2", "'a', x"]), max_size=3)
    return st.one_of(
        st.builds("{{% if {} %}}{}{}{}{{% endif %}}".format, conditions, inner, branches, maybe),
        st.builds("{{% unless {} %}}{}{}{}{{%- endunless %}}".format, conditions, inner, branches, maybe),
        st.builds(
            "{{% for {} in {} {} %}}{}{}{{% endfor %}}".format,
            st.sampled_from(["i", "j", "title", "partial"]),
            st.one_of(
                paths, st.sampled_from(["items", "items", "order.items", "(1..3)", "user", "title", "(1..count)"])
            ),
            _FOREVER,
            inner,
            maybe,
        ),
        st.builds(
            lambda value, names, body, other: (
                f"{{% case {value} %}} {''.join(f'{{% when {name} %}}{body}' for name in names)}{other}{{% endcase %}}"
            ),
            primitives,
            whens,
            inner,
            maybe,
        ),
        st.builds("{{% capture {} %}}{}{{% endcapture %}}".format, st.sampled_from(["x", "y"]), inner),
    )


templates = st.lists(
    st.recursive(
        leaves,
        lambda inner: _blocks(st.lists(inner, max_size=3).map("".join)),
        max_leaves=10,
    ),
    min_size=1,
    max_size=5,
).map("".join)

_texts = st.one_of(
    st.text(max_size=8), st.sampled_from(["a", "name", "<script>", "12", "2026-11-21", " ", "\ud800", "ä€"])
)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 12), st.floats(allow_nan=False), _texts)
_json: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4)),
    max_leaves=8,
)
data = st.fixed_dictionaries(
    {},
    optional={
        "user": st.one_of(st.fixed_dictionaries({"name": _texts}), _json),
        "items": st.one_of(
            st.lists(st.fixed_dictionaries({"name": _texts, "price": st.integers(0, 9)}), max_size=4), _json
        ),
        "order": st.one_of(st.fixed_dictionaries({"items": st.lists(_scalars, max_size=3), "price": _scalars}), _json),
        "count": st.one_of(st.integers(-2, 5), _scalars),
        "title": st.one_of(_texts, _json),
        "flag": st.booleans(),
        "nothing": st.none(),
        "x": _json,
        "i": _json,
    },
)
