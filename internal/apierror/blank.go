package apierror

import (
	"bytes"
	"encoding/json"
)

// Blank reports whether an "error" field is empty, as some servers send it
// beside a good answer: null, an empty text, or an object whose fields all are so.
func Blank(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	switch string(raw) {
	case "", "null", `""`, "[]", "{}", "false", "0":
		return true
	}
	var fields map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &fields) != nil {
		return false
	}
	for _, value := range fields {
		if !Blank(value) {
			return false
		}
	}
	return true
}
