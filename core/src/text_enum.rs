//! String enums shared by the API, the database and the code.

/// An enum declared by [`text_enum!`](macro@crate::text_enum) or [`stored_enum!`](crate::stored_enum).
pub trait TextEnum: Copy + Send + Sync + 'static {
    /// Every variant, in declaration order.
    const ALL: &'static [Self];

    /// The string of a variant.
    fn as_str(self) -> &'static str;
}

/// Declares an enum with a string per variant: `ALL`, `as_str`, `Display`, `FromStr`, serde and [`TextEnum`].
///
/// The error of `FromStr` is an [`Invalid`](crate::field::Invalid) that lists the valid strings.
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        $vis enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every variant, in declaration order.
            #[allow(dead_code, unreachable_pub, reason = "the macro serves enums of any visibility")]
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The string of a variant.
            #[allow(unreachable_pub, reason = "the macro serves enums of any visibility")]
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::text_enum::TextEnum for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::field::Invalid;

            fn from_str(raw: &str) -> ::std::result::Result<Self, Self::Err> {
                match raw {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::field::Invalid::new(concat!("must be one of: ", $crate::text_enum!(@list $($word),+)))),
                }
            }
        }
    };
    (@list $first:literal $(, $word:literal)*) => { concat!($first $(, ", ", $word)*) };
}

/// [`text_enum!`](macro@crate::text_enum) for an enum that is also a `text` column.
#[macro_export]
macro_rules! stored_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $crate::text_enum! {
            $(#[$meta])*
            #[derive(::sqlx::Type)]
            #[sqlx(type_name = "text")]
            $vis enum $name {
                $($(#[$variant_meta])* #[sqlx(rename = $word)] $variant = $word),+
            }
        }
    };
}

#[cfg(test)]
mod tests {
    crate::text_enum! {
        /// A size.
        #[derive(Default)]
        enum Size {
            /// Small.
            #[default]
            Small = "s",
            /// Large.
            Large = "l",
        }
    }

    #[test]
    fn a_text_enum_parses_only_its_own_strings() {
        assert_eq!(Size::default(), Size::Small);
        for size in Size::ALL {
            assert_eq!(size.as_str().parse::<Size>().unwrap(), size);
            assert_eq!(serde_json::to_value(size).unwrap(), size.to_string());
        }
        assert_eq!("L".parse::<Size>().unwrap_err().to_string(), "must be one of: s, l");
    }
}
