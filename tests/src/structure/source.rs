//! The paths that a source file names, by its text.

/// A word, or a mark: `::` is one.
type Token = String;

/// Every path of the code that starts with `crate`, `super` or `self`, and every imported one, which starts with `self`
/// if it says nothing else: those of comments, of strings, and of items for tests alone are left out. A list in braces
/// is a path for each of its entries; `*` is the last part of one that stands for many.
pub(super) fn paths(text: &str) -> Vec<Vec<String>> {
    let tokens = without_tests(tokens(text));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let word = tokens[at].as_str();
        let is_inside = at > 0 && tokens[at - 1] == "::";
        if word == "use" && at + 1 < tokens.len() {
            let is_absolute = ["crate", "super", "self", "::"].contains(&&*tokens[at + 1]);
            let start = if is_absolute { vec![] } else { vec!["self".to_owned()] };
            at = tree(&tokens, at + 1, start, &mut found);
        } else if !is_inside && ["crate", "super", "self"].contains(&word) && follows(&tokens, at, "::") {
            at = tree(&tokens, at, vec![], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// The modules that a file declares for tests alone.
pub(super) fn test_modules(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let starts = (0..tokens.len()).filter(|at| is_for_tests(&tokens[*at..]));
    let declared = starts.filter_map(|at| {
        let after = &tokens[at + TEST.len()..];
        let module = after.iter().position(|token| token == "mod")?;
        let is_elsewhere = module < 5 && after.get(module + 2).is_some_and(|token| token == ";");
        is_elsewhere.then(|| after[module + 1].clone())
    });
    declared.collect()
}

fn follows(tokens: &[Token], at: usize, what: &str) -> bool {
    tokens.get(at + 1).is_some_and(|token| token == what)
}

/// Reads the tree of paths that starts here, after `start`; gives where it ends.
fn tree(tokens: &[Token], mut at: usize, start: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut path = start;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = tree(tokens, at, path.clone(), found);
                    while tokens.get(at).is_some_and(|token| token != "," && token != "}") {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            word if word == "*" || is_word(word) => {
                // `use a::{self}` is `a`.
                if word != "self" || path.is_empty() {
                    path.push(word.to_owned());
                }
                at += 1;
                let goes_on = tokens.get(at).is_some_and(|token| token == "::")
                    && tokens.get(at + 1).is_some_and(|token| token == "{" || token == "*" || is_word(token));
                if !goes_on {
                    break;
                }
            }
            _ => break,
        }
    }
    found.push(path);
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// What stands before an item for tests alone.
const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

fn is_for_tests(tokens: &[Token]) -> bool {
    tokens.len() > TEST.len() && tokens.iter().zip(TEST).all(|(token, expected)| token == expected)
}

/// Leaves out each item for tests alone: up to the `;` or the block that ends it.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !is_for_tests(&tokens[at..]) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0;
        while at < tokens.len() {
            let token = tokens[at].as_str();
            depth += i32::from(token == "{") - i32::from(token == "}");
            at += 1;
            if depth == 0 && (token == ";" || token == "}") {
                break;
            }
        }
    }
    kept
}

/// Words and marks of the code, without comments, strings and characters.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("::") {
            tokens.push("::".into());
            2
        } else {
            tokens.extend((!first.is_whitespace()).then(|| first.to_string()));
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the string or character that starts here.
fn literal(text: &str) -> Option<usize> {
    let plain = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let before = text.len() - plain.len();
    if let Some(raw) = plain.strip_prefix('r') {
        let marks = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(marks));
        let inside = raw[marks..].strip_prefix('"')?;
        let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return Some(before + 1 + marks + 1 + length);
    }
    if let Some(inside) = plain.strip_prefix('"') {
        return Some(before + 1 + closed_by('"', inside)?);
    }
    let inside = plain.strip_prefix('\'')?;
    // A lifetime has no second quote.
    let mut letters = inside.chars();
    let (first, second) = (letters.next()?, letters.next()?);
    (first == '\\' || second == '\'').then(|| Some(before + 1 + closed_by('\'', inside)?)).flatten()
}

/// Where the quote is that ends this, behind it; a backslash hides what follows it.
fn closed_by(quote: char, inside: &str) -> Option<usize> {
    let mut is_hidden = false;
    for (at, letter) in inside.char_indices() {
        match letter {
            _ if is_hidden => is_hidden = false,
            '\\' => is_hidden = true,
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
