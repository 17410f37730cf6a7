//! How identities and amounts look in the `OpenAPI` document.
//!
//! The types live in stages that know nothing of HTTP; their schemas, with the patterns they really check, stand here.

use crate::budget::{Accounting, Nanos};
use crate::identity::{
    AccountId, Class, DatasetId, Digest, Organisation, Period, Purpose, ReleaseId, Role, SubmissionId, TokenId,
};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! text {
    ($($type:ident: $pattern:literal, $example:literal, $doc:literal;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let object = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
                object.description(Some($doc)).examples([$example]).into()
            }
        }
        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )*};
}

text! {
    DatasetId: "^[a-z][a-z0-9_]{0,62}$", "residence", "A dataset.";
    AccountId: "^[a-z][a-z0-9_-]{0,62}$", "residents", "A privacy account.";
    Organisation: "^[a-z][a-z0-9_.-]{0,62}$", "ministry-interior", "An organisation that submits or asks.";
    Purpose: "^[a-z][a-z0-9_]{0,62}$", "treaty_body", "What a question is for.";
    Class: "^[a-z][a-z0-9_]{0,62}$", "un_reporting", "The class of an organisation.";
    Period: "^[0-9]{4}(-Q[1-4]|-0[1-9]|-1[0-2])?$", "2026-Q1", "A year, a quarter or a month.";
    SubmissionId: "^sub_[0-9a-f]{32}$", "sub_00112233445566778899aabbccddeeff", "A submitted file.";
    ReleaseId: "^rel_[0-9a-f]{32}$", "rel_00112233445566778899aabbccddeeff", "A released set of tables.";
    TokenId: "^tok_[0-9a-f]{32}$", "tok_00112233445566778899aabbccddeeff", "A token (not its secret).";
    Digest: "^[0-9a-f]{64}$", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "A SHA-256 digest.";
    Nanos: "^[0-9]{1,7}(\\.[0-9]{1,9})?$", "0.05", "An amount of privacy, exact.";
    Role: "^(submitter|analyst|officer|auditor|operator)$", "analyst", "What a token may do.";
    Accounting: "^(zcdp|pure)$", "zcdp", "How an account adds up.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_of_the_schema_are_all_the_roles() {
        let RefOr::T(Schema::Object(object)) = Role::schema() else { panic!("an object") };
        let named = object.pattern.unwrap();
        assert_eq!(named, format!("^({})$", Role::ALL.map(Role::as_str).join("|")));
    }
}
