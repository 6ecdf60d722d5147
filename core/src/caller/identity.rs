//! Who is calling.

/// Who is calling, as Access vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person who logged in.
    User {
        /// `sub`: the person's id at Access.
        sub: String,
        /// `email`.
        email: Option<String>,
    },
    /// A program with a service token.
    Service {
        /// `common_name`: the token's Client ID.
        common_name: String,
    },
}

impl Caller {
    /// How much memory its texts take, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::User { sub, email } => sub.len() + email.as_ref().map_or(0, String::len),
            Self::Service { common_name } => common_name.len(),
        }
    }
}
