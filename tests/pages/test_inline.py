import re
from base64 import b64encode
from hashlib import sha256

from tests.pages.samples import index, sheet
from wan_pipelines.pages.render import render_edition_page, render_index_page


def test_the_policy_allows_exactly_the_style_and_script_of_the_page() -> None:
    for page in (render_edition_page(sheet()), render_index_page(index())):
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
        assert policy is not None
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        for kind, text in (("style", style), ("script", script)):
            digest = b64encode(sha256(text.encode()).digest()).decode()
            assert f"{kind}-src &#39;sha256-{digest}&#39;;" in policy[1]
        assert policy[1].startswith("default-src &#39;none&#39;;")
        assert "unsafe" not in policy[1]
