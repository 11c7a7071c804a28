"""Pages that hold all that they show, made of a template."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page(package: str, **values: Any) -> str:
    """Return the HTML that the template ``assets/page.html`` of a package gives.

    It may extend ``base.html``, which has the frame and the style that pages share. Values are text
    and never markup, unless the template says ``safe``. There ``asset(name)`` is the text of a file
    beside either: a style, a script.
    """
    loader = ChoiceLoader([PackageLoader(name, "assets") for name in (package, __package__)])
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {
        "ensure_ascii": False,
        "allow_nan": False,
        "separators": (",", ":"),
    }

    def asset(name: str) -> str:
        return loader.get_source(environment, name)[0]

    return environment.get_template("page.html").render(asset=asset, **values)
