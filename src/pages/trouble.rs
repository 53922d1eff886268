//! A problem with a form.

/// One problem, for the summary at the top of the page and for the field that caused it.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// The id of the field.
    pub(crate) field: Option<&'static str>,
    pub(crate) text: String,
}

impl Trouble {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            field: None,
            text: text.into(),
        }
    }

    pub(crate) fn with(field: &'static str, text: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            text: text.into(),
        }
    }
}
