package supply

// A kind is what a value of a simulated pickle is, as far as the scanner must know.
type kind uint8

const (
	kindOther  kind = iota // a value whose content does not matter
	kindString             // text
	kindInt                // num
	kindGlobal             // text is the module, name the name in it
	kindTuple              // items
	kindDict               // items: key, value, key, value, …
	kindObject             // what a call returned: items[0] is the callee, then arguments and state
	kindHidden             // a value that the scanner can't know, such as one of an extension code
)

// A value is one value on the stack of a simulated pickle. Content is kept only where
// it may name an import or the size of an array.
type value struct {
	kind  kind
	text  string
	name  string
	num   int64
	items []*value
}

// Values without content are shared.
var (
	other  = &value{kind: kindOther}
	hidden = &value{kind: kindHidden}
)

// keep is how many items of a tuple, a dictionary or a call are kept.
const keep = 128

func tuple(items []*value) *value {
	return &value{kind: kindTuple, items: append([]*value(nil), items[:min(len(items), keep)]...)}
}

// put adds items to a dictionary or a state to an object.
func (v *value) put(items ...*value) {
	if (v.kind == kindDict || v.kind == kindObject) && len(v.items)+len(items) <= 2*keep {
		v.items = append(v.items, items...)
	}
}

// get returns a dictionary's value of a key.
func (v *value) get(key string) *value {
	if v == nil || v.kind != kindDict {
		return nil
	}
	for i := 0; i+1 < len(v.items); i += 2 {
		if v.items[i].kind == kindString && v.items[i].text == key {
			return v.items[i+1]
		}
	}
	return nil
}

// at returns an item, nil if there is none.
func (v *value) at(i int) *value {
	if v == nil || i >= len(v.items) {
		return nil
	}
	return v.items[i]
}

// is reports that a value is the import of a name.
func (v *value) is(module, name string) bool {
	return v != nil && v.kind == kindGlobal && v.text == module && v.name == name
}

// isA reports that a value was made by calling an import of a name.
func (v *value) isA(module, name string) bool {
	return v != nil && v.kind == kindObject && v.at(0).is(module, name)
}
