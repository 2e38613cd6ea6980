package supply

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The opcodes of the pickle machine, protocols 0 to 5, from CPython's
// Lib/pickletools.py.
const (
	opMark, opStop, opPop, opPopMark, opDup                       = '(', '.', '0', '1', '2'
	opFloat, opInt, opBinInt, opBinInt1, opLong, opBinInt2        = 'F', 'I', 'J', 'K', 'L', 'M'
	opNone, opPersID, opBinPersID, opReduce, opString             = 'N', 'P', 'Q', 'R', 'S'
	opBinString, opShortBinString, opUnicode, opBinUnicode        = 'T', 'U', 'V', 'X'
	opAppend, opBuild, opGlobal, opDict, opEmptyDict, opAppends   = 'a', 'b', 'c', 'd', '}', 'e'
	opGet, opBinGet, opInst, opLongBinGet, opList, opEmptyList    = 'g', 'h', 'i', 'j', 'l', ']'
	opObj, opPut, opBinPut, opLongBinPut, opSetItem, opTuple      = 'o', 'p', 'q', 'r', 's', 't'
	opEmptyTuple, opSetItems, opBinFloat                          = ')', 'u', 'G'
	opProto, opNewObj, opExt1, opExt2, opExt4, opTuple1, opTuple2 = 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86
	opTuple3, opTrue, opFalse, opLong1, opLong4                   = 0x87, 0x88, 0x89, 0x8a, 0x8b
	opBinBytes, opShortBinBytes                                   = 'B', 'C'
	opShortBinUnicode, opBinUnicode8, opBinBytes8, opEmptySet     = 0x8c, 0x8d, 0x8e, 0x8f
	opAddItems, opFrozenSet, opNewObjEx, opStackGlobal            = 0x90, 0x91, 0x92, 0x93
	opMemoize, opFrame, opByteArray8, opNextBuffer, opReadonly    = 0x94, 0x95, 0x96, 0x97, 0x98
)

const (
	maxName  = 1 << 10 // bytes of a text that are kept; longer ones name no import
	maxLine  = 1 << 20 // bytes of a line of protocol 0
	maxStack = 1 << 20 // values on the stack
	maxMemo  = 1 << 22 // values in the memo: a large vocabulary has one for each word
)

// errPickle reports bytes that are not a pickle, or not a whole one.
var errPickle = errors.New("not a whole pickle")

// A machine simulates the pickle machine: it follows the stack and the memo, and calls
// and imports nothing.
type machine struct {
	c       *collector
	allowed func(Global) verdict
	r       *bufio.Reader
	at      int64 // bytes read
	began   int64 // of the opcode
	stack   []*value
	marks   []int // the height of the stack at each mark
	memo    map[uint64]*value
	broken  bool     // the real machine would have stopped with an error
	stored  []*value // persistent ids: what torch stores outside of the pickle
	bad     int      // imports and calls that are not allowed
}

func newMachine(c *collector, allowed func(Global) verdict, r *bufio.Reader) *machine {
	return &machine{c: c, allowed: allowed, r: r, memo: map[uint64]*value{}}
}

// run simulates one pickle up to its STOP and returns its value. A pickle that breaks
// has run up to there, so what was found before the error counts.
func (m *machine) run() (*value, error) {
	m.stack, m.marks, m.memo = m.stack[:0], m.marks[:0], map[uint64]*value{}
	for {
		m.began = m.at
		op, err := m.byte()
		if err != nil {
			return nil, err
		}
		if op == opStop {
			return m.pop(), nil
		}
		if err := m.step(op); err != nil {
			return nil, err
		}
		if len(m.stack)+len(m.marks) > maxStack || len(m.memo) > maxMemo {
			return nil, fmt.Errorf("%w: more than %d values on the stack, or %d in the memo", errPickle, maxStack, maxMemo)
		}
	}
}

func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		v, err := m.byte()
		if err == nil && v > 5 {
			err = fmt.Errorf("%w: protocol %d", errPickle, v)
		}
		return err
	case opFrame:
		return m.skip(8)
	case opMark:
		m.marks = append(m.marks, len(m.stack))
	case opPop:
		if len(m.marks) > 0 && len(m.stack) == m.fence() {
			m.marks = m.marks[:len(m.marks)-1]
			return nil
		}
		m.pop()
	case opPopMark:
		m.toMark()
	case opDup:
		m.push(m.top())
	case opNone, opTrue, opFalse, opEmptySet, opEmptyList, opNextBuffer:
		m.push(other)
	case opReadonly:
	case opEmptyTuple:
		m.push(tuple(nil))
	case opEmptyDict:
		m.push(&value{kind: kindDict})
	case opGlobal, opInst, opStackGlobal, opExt1, opExt2, opExt4:
		return m.imports(op)
	case opReduce, opBuild, opNewObj, opNewObjEx, opObj:
		return m.calls(op)
	case opPersID, opBinPersID:
		return m.persistent(op)
	case opMemoize, opPut, opBinPut, opLongBinPut, opGet, opBinGet, opLongBinGet:
		return m.remembers(op)
	case opTuple, opTuple1, opTuple2, opTuple3, opList, opDict, opFrozenSet, opAppend, opAppends, opAddItems, opSetItem, opSetItems:
		m.builds(op)
	default:
		return m.reads(op)
	}
	return nil
}

// reads handles the opcodes that push a value which follows them.
func (m *machine) reads(op byte) error {
	switch op {
	case opInt, opLong, opFloat:
		line, err := m.line()
		m.pushInt(strings.TrimSuffix(line, "L"))
		return err
	case opBinInt, opBinInt1, opBinInt2:
		n, err := m.uint(map[byte]int{opBinInt: 4, opBinInt1: 1, opBinInt2: 2}[op])
		if op == opBinInt {
			n = uint64(int64(int32(n))) //nolint:gosec // the opcode's number is signed
		}
		m.push(&value{kind: kindInt, num: int64(n)}) //nolint:gosec // at most four bytes
		return err
	case opBinFloat:
		m.push(other)
		return m.skip(8)
	case opLong1, opLong4:
		return m.long(map[byte]int{opLong1: 1, opLong4: 4}[op])
	case opString:
		line, err := m.line()
		m.push(&value{kind: kindString, text: unquote(line)})
		return err
	case opUnicode:
		line, err := m.line()
		if s, e := strconv.Unquote(`"` + strings.ReplaceAll(line, `"`, `\"`) + `"`); e == nil {
			line = s
		}
		m.push(&value{kind: kindString, text: line})
		return err
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		return m.text(1, op != opShortBinBytes)
	case opBinString, opBinUnicode, opBinBytes:
		return m.text(4, op != opBinBytes)
	case opBinUnicode8, opBinBytes8, opByteArray8:
		return m.text(8, op == opBinUnicode8)
	}
	return fmt.Errorf("%w: the opcode %#02x at byte %d does not exist", errPickle, op, m.began)
}

// imports handles the opcodes that import a name.
func (m *machine) imports(op byte) error {
	var module, name *value
	switch op {
	case opGlobal, opInst:
		a, err := m.line()
		if err != nil {
			return err
		}
		b, err := m.line()
		if err != nil {
			return err
		}
		module, name = &value{kind: kindString, text: a}, &value{kind: kindString, text: b}
	case opStackGlobal:
		name, module = m.pop(), m.pop()
	default:
		n := map[byte]int64{opExt1: 1, opExt2: 2, opExt4: 4}[op]
		m.flag(SeverityUnlisted, KindCall, "an extension code imports a name that only the loading program knows")
		m.push(hidden)
		return m.skip(n)
	}
	if !utf8.ValidString(module.text + name.text) {
		return fmt.Errorf("%w: an import whose name is not UTF-8", errPickle)
	}
	if module.kind != kindString || name.kind != kindString {
		m.flag(SeverityUnlisted, KindCall, "an import whose name is not a plain text in the file")
		m.push(hidden)
		return nil
	}
	g := Global{module.text, name.text}
	if !m.c.globals[g] && len(m.c.globals) < maxFindings {
		m.c.globals[g] = true
	}
	switch v := m.allowed(g); {
	case v.danger != "":
		m.flag(SeverityDangerous, KindImport, fmt.Sprintf("imports %s: %s", printable(g.String()), v.danger))
	case !v.allowed:
		m.flag(SeverityUnlisted, KindImport, fmt.Sprintf("imports %s, which is not on the list of what weights need", printable(g.String())))
	}
	made := &value{kind: kindGlobal, text: g.Module, name: g.Name}
	if op == opInst { // it also calls what it imports
		m.toMark()
		made = &value{kind: kindObject, items: []*value{made}}
	}
	m.push(made)
	return nil
}

// calls handles the opcodes that call an import, or change what a call returned.
func (m *machine) calls(op byte) error {
	var callee *value
	var args []*value
	switch op {
	case opBuild:
		state, target := m.pop(), m.top()
		if target.kind != kindObject {
			m.flag(SeverityUnlisted, KindCall, "BUILD changes something that the pickle did not make: an import, or a hidden value")
			return nil
		}
		target.put(state)
		if target.isA("joblib.numpy_pickle", "NumpyArrayWrapper") {
			return m.joblibArray(state)
		}
		return nil
	case opReduce, opNewObj:
		args = []*value{m.pop()}
		callee = m.pop()
	case opNewObjEx:
		kwargs := m.pop()
		args = []*value{m.pop(), kwargs}
		callee = m.pop()
	case opObj:
		all := m.toMark()
		if callee = hidden; len(all) > 0 {
			callee, args = all[0], []*value{tuple(all[1:])}
		}
	}
	if callee.kind != kindGlobal {
		m.flag(SeverityUnlisted, KindCall, "calls something that is not an import of this pickle")
	}
	m.push(&value{kind: kindObject, items: append([]*value{callee}, args...)})
	return nil
}

// builds handles the opcodes that put values into containers.
func (m *machine) builds(op byte) {
	switch op {
	case opTuple:
		m.push(tuple(m.toMark()))
	case opTuple1, opTuple2, opTuple3:
		n := int(op-opTuple1) + 1
		items := make([]*value, n)
		for i := n - 1; i >= 0; i-- {
			items[i] = m.pop()
		}
		m.push(tuple(items))
	case opList, opFrozenSet:
		m.toMark()
		m.push(other)
	case opDict:
		d := &value{kind: kindDict}
		d.put(m.toMark()...)
		m.push(d)
	case opAppend:
		m.pop()
		m.intoOwn(m.top())
	case opAppends, opAddItems:
		m.toMark()
		m.intoOwn(m.top())
	case opSetItem, opSetItems:
		var items []*value
		if op == opSetItem {
			v, k := m.pop(), m.pop()
			items = []*value{k, v}
		} else {
			items = m.toMark()
		}
		top := m.top()
		m.intoOwn(top)
		if top.kind == kindDict {
			top.put(items...)
		}
	}
}

// intoOwn flags a container that the pickle imported, such as sys.modules.
func (m *machine) intoOwn(v *value) {
	if v.kind == kindGlobal || v.kind == kindHidden {
		m.flag(SeverityUnlisted, KindCall, "puts a value into a container that the pickle did not make")
	}
}

func (m *machine) remembers(op byte) error {
	var key uint64
	var err error
	switch op {
	case opMemoize:
		key = uint64(len(m.memo))
	case opPut, opGet:
		var line string
		if line, err = m.line(); err == nil {
			if key, err = strconv.ParseUint(line, 10, 63); err != nil {
				return fmt.Errorf("%w: the memo key %.20q", errPickle, line)
			}
		}
	case opBinPut, opBinGet:
		key, err = m.uint(1)
	default:
		key, err = m.uint(4)
	}
	if err != nil {
		return err
	}
	switch op {
	case opGet, opBinGet, opLongBinGet:
		v, ok := m.memo[key]
		if !ok {
			m.broken = true
			v = hidden
		}
		m.push(v)
	default:
		m.memo[key] = m.top()
	}
	return nil
}

func (m *machine) persistent(op byte) error {
	id := other
	if op == opPersID {
		if _, err := m.line(); err != nil {
			return err
		}
	} else {
		id = m.pop()
	}
	if len(m.stored) < maxMemo {
		m.stored = append(m.stored, id)
	}
	m.push(&value{kind: kindObject, items: []*value{id}})
	return nil
}

// flag adds a finding at the opcode in progress. After an error of the stack or the memo
// only an import counts: what is called then is unknown, and a pickle that breaks there
// is reported as such.
func (m *machine) flag(s Severity, kind, reason string) {
	if m.broken && kind == KindCall {
		return
	}
	m.bad++
	m.c.add(s, kind, m.began, reason)
}

func (m *machine) push(v *value) { m.stack = append(m.stack, v) }

func (m *machine) pushInt(text string) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		m.push(other)
		return
	}
	m.push(&value{kind: kindInt, num: n})
}

// fence returns the height of the stack that the last mark protects.
func (m *machine) fence() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) top() *value {
	if len(m.stack) <= m.fence() {
		m.broken = true
		return hidden
	}
	return m.stack[len(m.stack)-1]
}

func (m *machine) pop() *value {
	v := m.top()
	if len(m.stack) > m.fence() {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v
}

// toMark pops the values above the last mark, and the mark.
func (m *machine) toMark() []*value {
	if len(m.marks) == 0 {
		m.broken = true
		return nil
	}
	items := m.stack[m.fence():]
	m.stack = m.stack[:m.fence()]
	m.marks = m.marks[:len(m.marks)-1]
	return items
}
