package structured

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/tmc/langchaingo/llms"
)

// A Schema describes what a value must be, for the model and for the validator. It
// is safe for concurrent use. Make one with [For] or [ParseSchema].
type Schema struct {
	name     string
	data     []byte
	root     *jsonschema.Schema
	resolved *jsonschema.Resolved
	strict   bool // strict providers take it
}

// For returns the schema of a Go type. Fields are named by their json tags;
// those with omitempty or omitzero may be left out, pointers may be null. The
// jsonschema tag is the field's description, the schema tag holds constraints:
//
//	type Order struct {
//		City  string   `json:"city" jsonschema:"where it goes" schema:"minLength=1"`
//		Count int      `json:"count" schema:"minimum=1;maximum=99"`
//		Speed string   `json:"speed,omitempty" schema:"enum=slow|fast"`
//		Day   string   `json:"day" schema:"format=date"`
//		Tags  []string `json:"tags" schema:"maxItems=5"`
//	}
//
// The constraints are minimum, maximum, minLength, maxLength, minItems,
// maxItems, pattern, format and enum. For fails on a type that JSON can't express,
// on a recursive one, and on an unknown constraint.
func For[T any]() (*Schema, error) {
	t := reflect.TypeFor[T]()
	root, err := inferred(t)
	if err != nil {
		return nil, fmt.Errorf("structured: %w", err)
	}
	name := t.Name()
	if name == "" {
		name = "answer"
	}
	return newSchema(name, root)
}

// ParseSchema returns the schema in a JSON Schema document of draft 2020-12 or 7, such
// as pydantic's model_json_schema() gives. The document may refer to its own parts only.
func ParseSchema(data []byte) (*Schema, error) {
	var root jsonschema.Schema
	if err := json.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("structured: the schema: %w", err)
	}
	name := "answer"
	if root.Title != "" {
		name = root.Title
	}
	s, err := newSchema(name, &root)
	if err != nil {
		return nil, err
	}
	s.data = slices.Clone(data) // as its author wrote it, in that order
	return s, nil
}

func newSchema(name string, root *jsonschema.Schema) (*Schema, error) {
	resolved, err := root.Resolve(nil)
	if err != nil {
		return nil, fmt.Errorf("structured: the schema: %w", err)
	}
	data, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("structured: the schema: %w", err)
	}
	return &Schema{name: functionName(name), data: data, root: root, resolved: resolved, strict: isStrict(data)}, nil
}

// functionName makes a name that providers accept.
func functionName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 128 && (r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), 64)]
}

// JSON returns the schema as a document.
func (s *Schema) JSON() []byte { return bytes.Clone(s.data) }

// ResponseFormat returns the schema as OpenAI's response_format. A provider in strict
// mode gives an answer that is valid by construction. Strict mode needs every property
// required and no other admitted, and it does not take every keyword. A schema without
// these properties is sent as not strict. The order of the properties is kept, since
// the model writes them in that order.
func (s *Schema) ResponseFormat() map[string]any {
	return map[string]any{"type": "json_schema", "json_schema": map[string]any{
		"name": s.name, "schema": json.RawMessage(s.data), "strict": s.strict,
	}}
}

// Tool returns the schema as a tool whose arguments are the answer, for
// providers without response formats.
func (s *Schema) Tool(description string) llms.Tool {
	return llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
		Name: s.name, Description: description, Parameters: json.RawMessage(s.data), Strict: s.strict,
	}}
}

// inferred is jsonschema.ForType with this package's tags.
func inferred(t reflect.Type) (*jsonschema.Schema, error) {
	root, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
	}})
	if err != nil {
		return nil, err
	}
	return root, constrain(root, t)
}

// constrain puts the constraints of tags into the schema.
func constrain(s *jsonschema.Schema, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case s == nil:
		return nil
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		// A nil slice of Go is null in JSON, but the type's author means a list.
		if len(s.Types) == 2 && slices.Contains(s.Types, "array") {
			s.Types, s.Type = nil, "array"
		}
		return constrain(s.Items, t.Elem())
	case t.Kind() == reflect.Map:
		return constrain(s.AdditionalProperties, t.Elem())
	case t.Kind() != reflect.Struct:
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Tag.Get("json") == "" {
			if err := constrain(s, f.Type); err != nil { // its fields are in s
				return err
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		property, ok := s.Properties[name]
		if !ok || name == "-" {
			continue
		}
		if err := constrain(property, f.Type); err != nil {
			return err
		}
		tag := f.Tag.Get("schema")
		if tag == "" {
			continue
		}
		for part := range strings.SplitSeq(tag, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if err := setConstraint(property, key, value); err != nil {
				return fmt.Errorf("field %s.%s: %w", t.Name(), f.Name, err)
			}
		}
	}
	return nil
}

func setConstraint(s *jsonschema.Schema, key, value string) error {
	set := map[string]any{
		"minimum": &s.Minimum, "maximum": &s.Maximum, "minLength": &s.MinLength, "maxLength": &s.MaxLength,
		"minItems": &s.MinItems, "maxItems": &s.MaxItems,
	}
	switch key {
	case "pattern":
		s.Pattern = value
		return nil
	case "format":
		s.Format = value
		return nil
	case "enum":
		for v := range strings.SplitSeq(value, "|") {
			var number json.Number
			if s.Type != "string" && !slices.Contains(s.Types, "string") && json.Unmarshal([]byte(v), &number) == nil {
				f, err := number.Float64()
				if err != nil {
					return err
				}
				s.Enum = append(s.Enum, f)
				continue
			}
			s.Enum = append(s.Enum, v)
		}
		if slices.Contains(s.Types, "null") {
			s.Enum = append(s.Enum, nil)
		}
		return nil
	}
	target, ok := set[key]
	if !ok {
		return fmt.Errorf("the constraint %q is unknown; known are %v, pattern, format and enum", key, slices.Sorted(maps.Keys(set)))
	}
	if err := json.Unmarshal([]byte(value), target); err != nil {
		return fmt.Errorf("the constraint %s=%q: %w", key, value, err)
	}
	return nil
}

// loose are keywords that OpenAI's strict mode doesn't take.
var loose = []string{"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
	"propertyNames", "unevaluatedProperties", "unevaluatedItems", "contains", "uniqueItems", "prefixItems", "default"}

// isStrict reports whether a schema is one that strict mode takes: each object
// requires all its properties and admits no other.
func isStrict(data []byte) bool {
	var root map[string]any
	return json.Unmarshal(data, &root) == nil && root["type"] == "object" && strictValue(root)
}

func strictValue(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !strictValue(e) })
	case map[string]any:
		for _, k := range loose {
			if _, ok := v[k]; ok {
				return false
			}
		}
		properties, ok := v["properties"].(map[string]any)
		if ok || v["type"] == "object" {
			required, _ := v["required"].([]any)
			if len(required) != len(properties) || v["additionalProperties"] != false {
				return false
			}
		}
		parts := []any{v["items"], v["anyOf"]}
		for _, m := range []any{properties, v["$defs"], v["definitions"]} {
			m, _ := m.(map[string]any)
			parts = slices.AppendSeq(parts, maps.Values(m))
		}
		return strictValue(parts)
	}
	return true
}
