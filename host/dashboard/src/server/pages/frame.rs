//! What all pages share: head, navigation, foot.

use crate::sections::assets::{SCRIPT, STYLE};
use crate::sections::text::esc;

/// The pages that the navigation names: address and words.
const PLACES: [(&str, &str); 5] = [
    ("/", "Overview"),
    ("/leaderboard", "Leaderboard"),
    ("/challenges", "Challenges"),
    ("/weights", "Weights"),
    ("/configuration", "Configuration"),
];

/// A whole document. `here` is the address in the navigation that the page belongs to, `title` is not yet escaped.
pub(super) fn document(title: &str, here: &str, main: &str) -> String {
    let link = |(address, words): &(&str, &str)| {
        let current = if *address == here { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"{address}\"{current}>{words}</a>")
    };
    format!(
        r##"<!DOCTYPE html>
<html lang="en" xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>{} – Mantis</title>
<link rel="icon" href="data:,"/>
<link rel="stylesheet" href="{}"/>
<script src="{}" defer="defer"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><div class="in"><a class="brand" href="/">Mantis</a><nav aria-label="Pages">{}</nav></div></header>
<main id="main">
{main}</main>
<footer><p>Mantis {}. Nothing here changes anything. The same as JSON: <code>/api/v1</code>.</p></footer>
<p id="connection" role="status"></p>
</body>
</html>
"##,
        esc(title),
        STYLE.address(),
        SCRIPT.address(),
        PLACES.iter().map(link).collect::<String>(),
        env!("CARGO_PKG_VERSION")
    )
}

/// The page of a request that is not answered: an HTTP status, and what is wrong as a sentence.
pub fn fault(status: u16, message: &str) -> String {
    let title = match status {
        400 => "Not understood",
        404 => "Not found",
        405 => "Not allowed",
        413 | 414 | 431 => "Too much",
        503 => "Not ready",
        500.. => "Something is wrong here",
        _ => "Not answered",
    };
    let main = format!(
        "<section aria-labelledby=\"h-fault\">\n<p class=\"over\">{status}</p>\n<h1 id=\"h-fault\">{title}</h1>\n<p class=\"lead\">{}</p>\n<p><a href=\"/\">To the overview</a></p>\n</section>\n",
        esc(message)
    );
    document(title, "", &main)
}
