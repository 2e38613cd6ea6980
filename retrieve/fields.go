package retrieve

import "fmt"

// textField is the name of the field that is a passage's text.
const textField = "text"

// fieldWords returns the words if they weigh fields.
func (c *Collection) fieldWords() (words FieldWords, names []string) {
	words, ok := c.o.Words.(FieldWords)
	if ok {
		names = words.Fields()
	}
	return words, names
}

// checkFields checks that the words' fields can be searched.
func (c *Collection) checkFields() error {
	if _, names := c.fieldWords(); len(names) > 0 && c.o.Sparse != nil {
		return fmt.Errorf("%w: Options.Words has the fields %q, and Options.Sparse weighs texts as a whole", ErrOption, names)
	}
	return nil
}

// fields returns a passage's text and the named values of its metadata that are texts. A
// text of a list is a field of its own, so that no phrase goes from one into the next.
func (p *passage) fields(names []string) []Field {
	fields := []Field{{Name: textField, Text: p.Text}}
	for _, name := range names {
		if name == textField {
			continue
		}
		switch value := p.get(name).(type) {
		case string:
			fields = append(fields, Field{Name: name, Text: value})
		case []any: // what JSON makes of a list
			for _, v := range value {
				if text, ok := v.(string); ok {
					fields = append(fields, Field{Name: name, Text: text})
				}
			}
		}
	}
	return fields
}
