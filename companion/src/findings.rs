//! What a check comes to.

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Findings {
    /// A line for each table that can serve.
    pub sound: Vec<String>,
    /// What can be deployed, but is hardly meant.
    pub warnings: Vec<String>,
    /// What must be mended first.
    pub mistakes: Vec<String>,
}

impl Findings {
    /// A file that cannot be read any further.
    pub fn mistake(text: impl Into<String>) -> Self {
        Self { mistakes: vec![text.into()], ..Self::default() }
    }
}
