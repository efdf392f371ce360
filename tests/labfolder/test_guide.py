from __future__ import annotations

import dataclasses
import html.parser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brihaspati.adapters import labfolder
from brihaspati.adapters.labfolder import actions, guide
from brihaspati.adapters.labfolder.problems import Report
from labfolder import folders

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


REACH = actions.Reach(
    ports={
        "box": frozenset({80, 8080}),
        "db": frozenset({8080, 5432}),
        "twin": frozenset({5432}),
        "dark": frozenset(),
    },
    seen=frozenset({"box", "db"}),
    machine="box",
)


def page(terminals: tuple[str, ...] = ("main", "db")) -> guide.Page:
    return guide.Page(
        "steps/one.md",
        Report(Path("demo")),
        terminals,
        {"02-two.md": "02-two"},
        image=lambda name, _: f"data:image/png;base64,{name}" if name.endswith(".png") else None,
        reach=REACH,
    )


def shown(text: str) -> str:
    """The HTML of a step without faults."""
    made = page()
    rendered = guide.render(text, made)
    assert made.report.problems == []
    return rendered.strip()


def test_a_run_block_says_its_terminal_and_keeps_the_command_as_it_is() -> None:
    assert shown("```sh run terminal=db\necho '<b>' && ls  \\\n  -l\n```") == (
        '<pre class="command" data-run="" data-terminal="db" data-language="sh">'
        "<code>echo '&lt;b&gt;' &amp;&amp; ls  \\\n  -l</code></pre>"
    )


def test_a_run_block_without_a_terminal_means_the_first_one() -> None:
    assert 'data-run="" data-terminal="main"' in shown("```sh run\nls\n```")


def test_a_copy_block_names_no_terminal() -> None:
    assert shown("```python copy\nx = 1\n```") == (
        '<pre class="command" data-copy="" data-language="python"><code>x = 1</code></pre>'
    )


def test_a_type_block_goes_into_a_terminal_and_waits() -> None:
    assert shown("```sh type\necho 'Asha' > name\n```") == (
        '<pre class="command" data-type="" data-terminal="main" data-language="sh">'
        "<code>echo 'Asha' &gt; name</code></pre>"
    )


@pytest.mark.parametrize("words", ["interrupt clear", "clear interrupt"])
@pytest.mark.parametrize("verb", ["run", "type"])
def test_what_is_done_in_the_terminal_first_is_said_on_the_block(verb: str, words: str) -> None:
    assert shown(f"```sh {verb} {words} terminal=db\nls\n```").startswith(
        f'<pre class="command" data-{verb}="" data-terminal="db" data-interrupt="" data-clear="" '
    )


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("port:8080", 'data-port="8080" data-machine="box"'),
        ("port:80", 'data-port="80" data-machine="box"'),
        ("port:db:8080", 'data-port="8080" data-machine="db"'),
        ("port:twin:5432", 'data-port="5432" data-machine="twin"'),
        ("file:/etc/motd", 'data-file="/etc/motd" data-machine="box"'),
        ("file:db:/srv/a.py#L12", 'data-file="/srv/a.py" data-line="12" data-machine="db"'),
        ("<file:/srv/a b/ä.txt>", 'data-file="/srv/a b/ä.txt" data-machine="box"'),
        ("file:/srv/50%25.txt", 'data-file="/srv/50%.txt" data-machine="box"'),
    ],
)
def test_a_link_opens_a_port_or_a_file_of_the_lab(link: str, said: str) -> None:
    assert shown(f"[Look **here**]({link})") == (
        f'<p><a class="action" href="#" {said}>Look <strong>here</strong></a></p>'
    )


def test_the_only_machine_that_publishes_a_port_is_meant() -> None:
    made = page()
    made.reach = dataclasses.replace(REACH, machine="dark")
    assert 'data-machine="box"' in guide.render("[x](port:80)", made)
    assert made.report.problems == []


def test_a_line_for_a_label_has_no_paragraph_and_nothing_to_press() -> None:
    made = page()
    assert guide.render_line("Use `ls` <b>**now**", made) == (
        "Use <code>ls</code> &lt;b&gt;<strong>now</strong>"
    )
    guide.render_line("[x](https://example.org)", made)
    guide.render_line("![x](a.png)", made)
    messages = [problem.message for problem in made.report.problems]
    assert ["would be pressed" in message for message in messages].count(True) == 1
    assert "<b> would be shown" in messages[0]


def test_code_is_highlighted_by_classes_and_never_by_style() -> None:
    rendered = shown("```python\ndef f(): return '<i>'\n```")
    assert rendered.startswith('<pre class="code" data-language="python" tabindex="0"><code>')
    assert '<span class="tok-k">def</span>' in rendered
    assert "&lt;i&gt;" in rendered
    assert "style" not in rendered


def test_code_without_a_language_is_shown_as_it_is() -> None:
    assert shown("```\n<a> & b\n```") == (
        '<pre class="code" tabindex="0"><code>&lt;a&gt; &amp; b\n</code></pre>'
    )


@pytest.mark.parametrize("kind", guide.CALLOUTS)
def test_a_callout_has_its_kind_its_title_and_its_text(kind: str) -> None:
    assert shown(f"> [!{kind.upper()}] Why *that*?\n> Because `x`.\n>\n> More.") == (
        f'<div class="callout" role="note" data-callout="{kind}">\n'
        '<p class="callout-title">Why <em>that</em>?</p>\n'
        "<p>Because <code>x</code>.</p>\n<p>More.</p>\n</div>"
    )


def test_a_callout_needs_neither_title_nor_text() -> None:
    plain = '<div class="callout" role="note" data-callout="tip">\n'
    assert shown("> [!tip]\n> Text.") == f"{plain}<p>Text.</p>\n</div>"
    assert shown("> [!tip] Title") == f'{plain}<p class="callout-title">Title</p>\n</div>'


def test_callouts_may_hold_blocks_and_stand_in_lists() -> None:
    rendered = shown("- one\n\n  > [!note]\n  > ```sh run\n  > ls\n  > ```\n\n- two")
    assert rendered.index("<li>") < rendered.index('data-callout="note"')
    assert rendered.index('data-callout="note"') < rendered.index('data-run=""')
    assert rendered.count("<div") == rendered.count("</div>") == 1


def test_a_quote_stays_a_quote() -> None:
    assert shown("> Said so.") == "<blockquote>\n<p>Said so.</p>\n</blockquote>"


def test_the_first_heading_is_the_title_and_the_others_move_down() -> None:
    made = page()
    rendered = guide.render("# Use `ls` *now*\n\n## Part\n\n###### Deep\n", made)
    assert (made.title, made.title_line) == ("Use ls now", 1)
    assert rendered.split() == ["<h3>Part</h3>", "<h6>Deep</h6>"]


def test_web_links_open_elsewhere_and_tell_nothing() -> None:
    assert shown("[x](https://example.org/?a=1&b=2)") == (
        '<p><a href="https://example.org/?a=1&amp;b=2" target="_blank" '
        'rel="noopener noreferrer">x</a></p>'
    )


def test_links_to_another_step_become_its_id() -> None:
    assert shown("[next](02-two.md)") == ('<p><a href="#02-two" data-step="02-two">next</a></p>')


def test_columns_are_aligned_by_class() -> None:
    rendered = shown("| a | b |\n|--:|:-:|\n| 1 | 2 |")
    assert '<th class="align-right">a</th>' in rendered
    assert '<td class="align-center">2</td>' in rendered
    assert "style" not in rendered


def test_a_small_picture_travels_inside_the_page(tmp_path: Path) -> None:
    changes: dict[str, str | bytes | None] = {
        "steps/one.md": '# A\n\n![A plan](pictures/plan.png "Hover")\n',
        "pictures/plan.png": PNG,
    }
    step = labfolder.read(folders.make(tmp_path, changes)).steps[0]
    assert step.html.startswith('<p><img src="data:image/png;base64,iVBORw0KGgo')
    assert 'alt="A plan" title="Hover"' in step.html


# --- Nothing an author writes becomes a script --------------------------------------------------
TAGS = {
    "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "em", "strong", "s", "a", "img", "br",
    "hr", "blockquote", "pre", "code", "span", "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "class", "href", "title", "target", "rel", "src", "alt", "start", "role", "tabindex",
    "data-run", "data-copy", "data-terminal", "data-language", "data-callout", "data-step",
    "data-type", "data-interrupt", "data-clear", "data-port", "data-file", "data-line",
    "data-machine",
}  # fmt: skip

NASTY = """\
<script>alert(1)</script>
<img src=x onerror=alert(1)>
<svg onload=alert(1)>
<svg><script>alert&#40;1)</script></svg>
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="<script>alert(1)</script>">
<details open ontoggle=alert(1)>
<a href="javascript:alert(1)">x</a>
<style>@import 'http://example.org/x.css';</style>
<base href="//example.org/">
<meta http-equiv=refresh content="0;url=javascript:alert(1)">
<form action="javascript:alert(1)"><button>x</button></form>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<!--><img src=x onerror=alert(1)>-->
<![CDATA[<script>alert(1)</script>]]>
<?php echo 1 ?>
[x](javascript:alert(1))
[x](JaVaScRiPt:alert(1))
[x](java&#115;cript:alert(1))
[x](&#x6A;avascript&colon;alert(1))
[x](<java\tscript:alert(1)>)
[x](%6Aavascript:alert(1))
[x](\\javascript:alert(1))
[x](vbscript:msgbox(1))
[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)
[x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)
[x](data:image/png;base64,AAAA)
[x](//example.org/)
[x](/v1/session)
[x](#hash)
[x](blob:https://example.org/1)
[x](file:///etc/passwd)
[x](file:/etc/passwd"onclick="alert(1))
[x](<file:/etc/"onclick=alert(1) x=">)
[x](file:%22onclick=alert%281%29:/etc/passwd)
[x](port:8080"onclick="alert(1))
[x](port:<script>:80)
<file:/etc/passwd>
<port:80>
<a class="action" data-port="x" data-line="-1" data-file="&quot;>">x</a>
<javascript:alert(1)>
<https://example.org/"onmouseover="alert(1)>
[x](https://example.org "\\"onmouseover=alert(1) ")
[x](https://example.org/"onmouseover=alert(1))
![x](javascript:alert(1))
![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)
![x](data:text/html,<script>alert(1)</script>)
![" onerror="alert(1)](a.png)
![x](a.png "\\" onerror=\\"alert(1)")
![x](a.png&quot;onerror=alert&#40;1&#41;.png)
[a]: javascript:alert(1)
[a]
```<script>alert(1)</script>
```sh run terminal="><script>alert(1)</script>
```"onmouseover=alert(1) run
```sh run\n</code></pre><script>alert(1)</script>\n```
```html\n</code></pre><script>alert(1)</script>\n```
> [!tip] <script>alert(1)</script>
> [!"onclick=alert(1)]
> [!tip onclick=alert(1)] x
# <script>alert(1)</script>
| <script>alert(1)</script> | b |\\n|--|--|
| a |\\n|:-:" onclick="alert(1)|
`<script>alert(1)</script>`
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
<a href="https://example.org" style="position:fixed;inset:0">x</a>
""".splitlines()


class Judge(html.parser.HTMLParser):
    """Reads the HTML again and knows what may be in it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, name
            if name == "href":
                assert value
                assert value.lower().startswith(("http://", "https://", "mailto:", "#"))
            if name == "src":
                assert value
                assert value.startswith("data:image/png;base64,")
        if tag not in {"br", "hr", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def judge(rendered: str) -> None:
    reader = Judge()
    reader.feed(rendered)
    reader.close()
    assert reader.open == []


def judge_step(text: str) -> None:
    judge(guide.render(text, page()))


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize(
    "around", ["{}", "# T\n\n{}", "> {}", "- {}", "**{}**", "[{}](https://example.org)", "```\n{}"]
)
def test_nothing_nasty_becomes_a_script_or_a_handler(text: str, around: str) -> None:
    judge_step(around.format(text.replace("\\n", "\n").replace("\\t", "\t")))


def test_all_the_nasty_things_at_once() -> None:
    judge_step("\n\n".join(NASTY))
    judge_step("\n".join(NASTY))


@given(
    st.lists(
        st.one_of(
            st.sampled_from(NASTY),
            st.sampled_from(["> ", "- ", "```", "\n", "\n\n", "[", "](", ")", "|", "<", ">", '"']),
            st.text(max_size=8),
        ),
        max_size=12,
    ).map("".join)
)
def test_no_mixture_of_them_does_either(text: str) -> None:
    judge_step(text)


def test_the_sanitiser_alone_stops_what_a_careless_renderer_would_let_through() -> None:
    for text in NASTY:
        judge(guide.clean(text))
    assert guide.clean('<a href="data:text/html,x">x</a>') == "<a>x</a>"
    assert guide.clean('<img src="https://example.org/a.png">') == "<img>"
    assert guide.clean('<a data-port="80x" data-line="1">x</a>') == '<a data-line="1">x</a>'
    assert guide.clean('<p class="command callout-title">x</p>') == '<p class="callout-title">x</p>'
