//! Eyes to read a page with.

use super::Answer;

/// A tag of a page, as a browser reads it.
#[derive(Clone, Debug)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text up to the next tag.
    pub text: String,
}

/// A form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Answer {
    /// All tags in their order, closing ones without their slash left out.
    pub fn tags(&self) -> Vec<Tag> {
        let after_the_doctype = self.body.split('<').skip(2);
        after_the_doctype
            .filter(|piece| !piece.starts_with('/'))
            .map(tag)
            .collect()
    }

    /// The values of this attribute of all tags of this name.
    pub fn all(&self, name: &str, attribute: &str) -> Vec<String> {
        let tags = self.tags().into_iter().filter(|tag| tag.name == name);
        tags.filter_map(|tag| tag.get(attribute).map(str::to_owned))
            .collect()
    }

    /// What the link with this text leads to.
    pub fn link(&self, text: &str) -> Option<String> {
        let links = self.tags().into_iter().filter(|tag| tag.name == "a");
        let mut found = links.filter(|tag| tag.text.trim() == text);
        found
            .next()
            .and_then(|tag| tag.get("href").map(str::to_owned))
    }

    /// The value in the field of this name.
    pub fn field(&self, name: &str) -> Option<String> {
        let inputs = self.tags().into_iter().filter(|tag| tag.name == "input");
        let mut found = inputs.filter(|tag| tag.get("name") == Some(name));
        found
            .next()
            .and_then(|tag| tag.get("value").map(str::to_owned))
    }

    /// The forms that change something, with the fields that they would send as they are.
    pub fn forms(&self) -> Vec<Form> {
        let pieces = self.body.split("<form ").skip(1);
        let forms = pieces.filter_map(|piece| {
            let (form, _) = piece.split_once("</form>").unwrap();
            let head = tag(&format!("form {}", form.split('<').next().unwrap()));
            let inputs = form
                .split('<')
                .skip(1)
                .filter(|piece| piece.starts_with("input"));
            let named = inputs.map(tag).filter_map(|input| {
                let choice = matches!(input.get("type"), Some("radio" | "checkbox"));
                if choice && input.get("checked").is_none() {
                    return None;
                }
                let value = input.get("value").unwrap_or_default().to_owned();
                Some((input.get("name")?.to_owned(), value))
            });
            (head.get("method") == Some("post")).then(|| Form {
                action: head.get("action").unwrap().to_owned(),
                fields: named.collect(),
            })
        });
        forms.collect()
    }

    /// The text of the page without its tags.
    pub fn words(&self) -> String {
        let pieces = self.body.split('<').skip(1);
        let texts = pieces.filter_map(|piece| Some(piece.split_once('>')?.1));
        let words = texts.collect::<Vec<_>>().join(" ");
        unescaped(&words.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Reads `name a="b" c>text`. Values in quotes are all that the templates write.
fn tag(piece: &str) -> Tag {
    let (head, text) = piece
        .split_once('>')
        .unwrap_or_else(|| panic!("an open tag: {piece}"));
    let (name, mut rest) = head.split_once(' ').unwrap_or((head, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted
                .split_once('"')
                .unwrap_or_else(|| panic!("an open value: {head}")),
            None => ("", after),
        };
        assert!(!after.starts_with('='), "a value without quotes: {head}");
        attributes.push((attribute.to_owned(), unescaped(value)));
        rest = after;
    }
    Tag {
        name: name.to_owned(),
        attributes,
        text: unescaped(text),
    }
}

fn unescaped(text: &str) -> String {
    let known = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    known
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
