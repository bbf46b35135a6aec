//! Python's pickles, read as data: what they would call is a value like others, and nothing is called.
//!
//! The formats are documented in Python's `pickletools`; this reads what protocols 2 to 5 make of plain objects, and calls of
//! functions with them.

use thiserror::Error;

/// Bytes that one pickle may have.
pub(super) const LARGEST: usize = 64 << 20;

/// Why bytes are no pickle that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("at byte {at}: {what}")]
pub struct PickleError {
    /// Where.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
}

/// One value of a pickle.
pub(super) type Id = usize;

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number that does not fit; its bytes, the lowest first.
    Long(&'a [u8]),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    /// Pairs of key and value, in their order.
    Dict(Vec<(Id, Id)>),
    /// A function or a class: `module.name`.
    Global(String),
    /// What a function would give for a tuple of arguments.
    Call(Id, Id),
    /// What the pickle's writer kept elsewhere.
    Elsewhere(Id),
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    values: Vec<Value<'a>>,
    /// The value that was pickled.
    pub(super) root: Id,
    /// What follows it.
    pub(super) rest: &'a [u8],
}

impl<'a> Pickle<'a> {
    /// Reads the first pickle of these bytes.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, PickleError> {
        if bytes.len() > LARGEST {
            let what = format!("it has {} bytes; {LARGEST} are read", bytes.len());
            return Err(PickleError { at: 0, what });
        }
        let mut machine = Machine {
            bytes,
            at: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
        };
        match machine.run() {
            Ok(root) => Ok(Self { values: machine.values, root, rest: &bytes[machine.at..] }),
            Err(what) => Err(PickleError { at: machine.at, what }),
        }
    }

    pub(super) fn value(&self, id: Id) -> &Value<'a> {
        self.values.get(id).unwrap_or(&Value::None)
    }

    /// The value of a dictionary's key.
    pub(super) fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        let Value::Dict(pairs) = self.value(dict) else { return None };
        pairs.iter().rfind(|(found, _)| *self.value(*found) == Value::Text(key)).map(|(_, value)| *value)
    }

    /// The elements of a list or a tuple.
    pub(super) fn elements(&self, id: Id) -> Option<&[Id]> {
        match self.value(id) {
            Value::List(elements) | Value::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// The arguments of a call of this function.
    pub(super) fn arguments(&self, id: Id, function: &str) -> Option<&[Id]> {
        match self.value(id) {
            Value::Call(called, arguments) if *self.value(*called) == Value::Global(function.into()) => {
                self.elements(*arguments)
            }
            _ => None,
        }
    }

    /// A whole number.
    pub(super) fn int(&self, id: Id) -> Option<i64> {
        match self.value(id) {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A text.
    pub(super) fn text(&self, id: Id) -> Option<&'a str> {
        match self.value(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What a pickle's codes work on.
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
}

/// Values that a pickle may remember: as many as it may have bytes would be too many.
const MEMO: usize = 1 << 20;

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let code = self.byte()?;
            match code {
                b'.' => return self.pop(),
                // The protocol, and how long a frame is: nothing depends on them.
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'N' => self.push(Value::None),
                0x88 => self.push(Value::Bool(true)),
                0x89 => self.push(Value::Bool(false)),
                b'K' => self.push_int(1, false)?,
                b'M' => self.push_int(2, false)?,
                b'J' => self.push_int(4, true)?,
                0x8a => self.push_long()?,
                b'G' => self.push_float()?,
                0x8c => self.push_text(1)?,
                b'X' => self.push_text(4)?,
                0x8d => self.push_text(8)?,
                b'C' => self.push_bytes(1)?,
                b'B' => self.push_bytes(4)?,
                0x8e => self.push_bytes(8)?,
                b']' => self.push(Value::List(Vec::new())),
                b')' => self.push(Value::Tuple(Vec::new())),
                b'}' => self.push(Value::Dict(Vec::new())),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.since_mark()?),
                b'a' => self.append_one()?,
                b'e' => self.append_all()?,
                b's' => self.set_one()?,
                b'u' => self.set_all()?,
                b't' => {
                    let elements = self.since_mark()?;
                    self.push(Value::Tuple(elements));
                }
                0x85..=0x87 => self.push_tuple(usize::from(code - 0x84))?,
                b'c' => self.push_global_of_lines()?,
                0x93 => self.push_global_of_texts()?,
                b'R' => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.push(Value::Call(function, arguments));
                }
                b'Q' => {
                    let id = self.pop()?;
                    self.push(Value::Elsewhere(id));
                }
                0x94 => self.remember(self.memo.len())?,
                b'q' => {
                    let place = self.length(1)?;
                    self.remember(place)?;
                }
                b'r' => {
                    let place = self.length(4)?;
                    self.remember(place)?;
                }
                b'h' => self.recall(1)?,
                b'j' => self.recall(4)?,
                _ => return Err(format!("the code 0x{code:02x}, of objects that are not read")),
            }
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.take(1).map(|taken| taken[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let taken = self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or("it ends in the middle")?;
        self.at += length;
        Ok(taken)
    }

    /// A number of so many bytes, the lowest first.
    fn number(&mut self, width: usize) -> Result<u64, String> {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(self.take(width)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn length(&mut self, width: usize) -> Result<usize, String> {
        usize::try_from(self.number(width)?).map_err(|_| "a length beyond its end".into())
    }

    fn push(&mut self, value: Value<'a>) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let id = if self.stack.len() > floor { self.stack.pop() } else { None };
        id.ok_or_else(|| "it takes a value that is not there".into())
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("it goes back to a mark that is not there")?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Value<'a>, String> {
        let top = self.stack.last().copied().and_then(|id| self.values.get_mut(id));
        top.ok_or_else(|| "it takes a value that is not there".into())
    }

    fn push_int(&mut self, width: usize, signed: bool) -> Result<(), String> {
        let number = self.number(width)?;
        // As 32 bits, of which the first is the sign.
        let value = if signed { i64::from(number as u32 as i32) } else { number as i64 };
        self.push(Value::Int(value));
        Ok(())
    }

    fn push_long(&mut self) -> Result<(), String> {
        let length = self.length(1)?;
        let bytes = self.take(length)?;
        let value = if length <= 8 {
            let mut wide = if bytes.last().is_some_and(|last| *last >= 0x80) { [0xff; 8] } else { [0; 8] };
            wide[..length].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Long(bytes)
        };
        self.push(value);
        Ok(())
    }

    fn push_float(&mut self) -> Result<(), String> {
        let bits = self.number(8)?.swap_bytes();
        self.push(Value::Float(f64::from_bits(bits)));
        Ok(())
    }

    fn push_text(&mut self, width: usize) -> Result<(), String> {
        let length = self.length(width)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| "a text that is not UTF-8")?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn push_bytes(&mut self, width: usize) -> Result<(), String> {
        let length = self.length(width)?;
        let bytes = self.take(length)?;
        self.push(Value::Bytes(bytes));
        Ok(())
    }

    fn push_tuple(&mut self, length: usize) -> Result<(), String> {
        let mut elements = (0..length).map(|_| self.pop()).collect::<Result<Vec<Id>, _>>()?;
        elements.reverse();
        self.push(Value::Tuple(elements));
        Ok(())
    }

    fn append_one(&mut self) -> Result<(), String> {
        let element = self.pop()?;
        self.append(vec![element])
    }

    fn append_all(&mut self) -> Result<(), String> {
        let elements = self.since_mark()?;
        self.append(elements)
    }

    fn append(&mut self, elements: Vec<Id>) -> Result<(), String> {
        match self.top()? {
            Value::List(list) => list.extend(elements),
            _ => return Err("it appends to what is no list".into()),
        }
        Ok(())
    }

    fn set_one(&mut self) -> Result<(), String> {
        let (value, key) = (self.pop()?, self.pop()?);
        self.set(&[key, value])
    }

    fn set_all(&mut self) -> Result<(), String> {
        let pairs = self.since_mark()?;
        self.set(&pairs)
    }

    fn set(&mut self, keys_and_values: &[Id]) -> Result<(), String> {
        let (pairs, rest) = keys_and_values.as_chunks::<2>();
        match self.top()? {
            Value::Dict(dict) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)))
            }
            Value::Dict(_) => return Err("it sets a key without a value".into()),
            _ => return Err("it sets a key of what is no dictionary".into()),
        }
        Ok(())
    }

    fn push_global_of_lines(&mut self) -> Result<(), String> {
        let (module, name) = (self.line()?, self.line()?);
        self.push(Value::Global(format!("{module}.{name}")));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or("it ends in the middle")?;
        let line = std::str::from_utf8(self.take(length)?).map_err(|_| "a name that is not UTF-8")?;
        self.take(1)?;
        Ok(line)
    }

    fn push_global_of_texts(&mut self) -> Result<(), String> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (self.values.get(module), self.values.get(name)) {
            (Some(Value::Text(module)), Some(Value::Text(name))) => {
                let global = format!("{module}.{name}");
                self.push(Value::Global(global));
                Ok(())
            }
            _ => Err("it names a function by what is no text".into()),
        }
    }

    fn remember(&mut self, place: usize) -> Result<(), String> {
        let top = self.stack.last().copied().ok_or("it remembers a value that is not there")?;
        if place >= MEMO {
            return Err(format!("it remembers more than {MEMO} values"));
        }
        if self.memo.len() <= place {
            self.memo.resize(place + 1, None);
        }
        self.memo[place] = Some(top);
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<(), String> {
        let place = self.length(width)?;
        let id = self.memo.get(place).copied().flatten();
        self.stack.push(id.ok_or("it recalls a value that it has not remembered")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_objects_are_read() {
        // pickle.dumps({"a": [1, -2, 300, 2**40, 1.5, None, True, b"x"], "b": ()}, 4), and two bytes behind it.
        let bytes = b"\x80\x04\x95\x34\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM\x2c\x01\x8a\x06\0\0\0\0\0\x01\
            G\x3f\xf8\0\0\0\0\0\0N\x88C\x01x\x94e\x8c\x01b\x94)u.zz";
        let pickle = Pickle::read(bytes).unwrap();
        assert_eq!(pickle.rest, b"zz");
        let a = pickle.elements(pickle.entry(pickle.root, "a").unwrap()).unwrap();
        let values: Vec<&Value<'_>> = a.iter().map(|id| pickle.value(*id)).collect();
        let expected = [
            Value::Int(1),
            Value::Int(-2),
            Value::Int(300),
            Value::Int(1 << 40),
            Value::Float(1.5),
            Value::None,
            Value::Bool(true),
            Value::Bytes(b"x"),
        ];
        assert_eq!(values, expected.iter().collect::<Vec<_>>());
        assert_eq!(pickle.elements(pickle.entry(pickle.root, "b").unwrap()), Some(&[][..]));
        assert_eq!(pickle.entry(pickle.root, "c"), None);
    }

    #[test]
    fn calls_are_values() {
        // os.system("true"), in protocol 2.
        let pickle =
            Pickle::read(b"\x80\x02cposix\nsystem\nq\0X\x04\0\0\0trueq\x01\x85q\x02Rq\x03.").unwrap();
        let arguments = pickle.arguments(pickle.root, "posix.system").unwrap();
        assert_eq!(pickle.text(arguments[0]), Some("true"));
        assert_eq!(pickle.arguments(pickle.root, "os.system"), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_where_it_stands() {
        let said = |bytes: &[u8]| Pickle::read(bytes).unwrap_err().to_string();
        for (bytes, says) in [
            (&b""[..], "at byte 0: it ends in the middle"),
            (b"K", "ends in the middle"),
            (b".", "a value that is not there"),
            (b"(.", "a value that is not there"),
            (b"e", "a mark that is not there"),
            (b"N(K\x01e.", "no list"),
            (b"}(K\x01u.", "a key without a value"),
            (b"]K\x01K\x02s.", "no dictionary"),
            (b"h\x07.", "not remembered"),
            (b"Nr\xff\xff\xff\xff.", "more than"),
            (b"C\xff.", "ends in the middle"),
            (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "ends in the middle"),
            (b"\x8c\x01\xff.", "not UTF-8"),
            (b"NN\x93.", "no text"),
            (b"I1\n.", "at byte 1: the code 0x49"),
        ] {
            assert!(said(bytes).contains(says), "{bytes:?}: {}", said(bytes));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0..=255_u8, 0..64)) {
            let _ = Pickle::read(&bytes);
        }
    }
}
