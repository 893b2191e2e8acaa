//! Types of a component's functions in WIT's text form, for messages.

use wasmtime::component::types::{ComponentFunc, Type};

/// Bytes after which a text is cut off: types nest, and a component may choose how deep.
const TEXT_BYTES_MAX: usize = 256;

/// `func(path: string) -> result<u32, string>`.
pub(crate) fn function(ty: &ComponentFunc) -> String {
    let mut text = Text(String::new());
    text.put(if ty.async_() { "async func(" } else { "func(" });
    for (number, (name, ty)) in ty.params().enumerate() {
        text.put(if number == 0 { "" } else { ", " });
        text.put(name);
        text.put(": ");
        text.ty(&ty);
    }
    text.put(")");
    if let Some(result) = ty.results().next() {
        text.put(" -> ");
        text.ty(&result);
    }
    if text.is_full() {
        text.0.truncate(text.0.floor_char_boundary(TEXT_BYTES_MAX));
        text.0.push('…');
    }
    text.0
}

struct Text(String);

impl Text {
    fn is_full(&self) -> bool {
        self.0.len() > TEXT_BYTES_MAX
    }

    fn put(&mut self, part: &str) {
        if !self.is_full() {
            self.0.push_str(part);
        }
    }

    /// Named types are named by their kind: a component does not say what they are called.
    fn ty(&mut self, ty: &Type) {
        if self.is_full() {
            return;
        }
        match ty {
            Type::List(list) => self.of("list", &[Some(list.ty())]),
            Type::Option(option) => self.of("option", &[Some(option.ty())]),
            Type::Tuple(tuple) => self.of("tuple", &tuple.types().map(Some).collect::<Vec<_>>()),
            Type::Result(result) => match (result.ok(), result.err()) {
                (None, None) => self.put("result"),
                (ok, None) => self.of("result", &[ok]),
                (ok, err) => self.of("result", &[ok, err]),
            },
            other => self.put(simple(other)),
        }
    }

    fn of(&mut self, constructor: &str, arguments: &[Option<Type>]) {
        self.put(constructor);
        for (number, argument) in arguments.iter().enumerate() {
            self.put(if number == 0 { "<" } else { ", " });
            match argument {
                Some(ty) => self.ty(ty),
                None => self.put("_"),
            }
        }
        self.put(">");
    }
}

fn simple(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::U8 => "u8",
        Type::S16 => "s16",
        Type::U16 => "u16",
        Type::S32 => "s32",
        Type::U32 => "u32",
        Type::S64 => "s64",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::Record(_) => "record",
        Type::Variant(_) => "variant",
        Type::Enum(_) => "enum",
        Type::Flags(_) => "flags",
        Type::Own(_) => "resource",
        Type::Borrow(_) => "borrow<resource>",
        Type::Future(_) => "future",
        Type::Stream(_) => "stream",
        Type::ErrorContext => "error-context",
        Type::Map(_) => "map",
        Type::List(_) | Type::FixedLengthList(_) => "list",
        Type::Option(_) => "option",
        Type::Tuple(_) => "tuple",
        Type::Result(_) => "result",
    }
}
