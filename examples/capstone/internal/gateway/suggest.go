package gateway

import (
	"encoding/json"
	"path"
)

// A lecture is one of the course's with a question that its notes answer.
type lecture struct {
	Number   int    `json:"number"`
	Name     string `json:"name"`
	Question string `json:"question,omitempty"` // none: the documents do not have its notes
	Notes    string `json:"notes"`              // the package whose notes answer it
}

// lectures returns a question for each lecture, so that a newcomer sees what can be
// asked. They are in a file of their own, since the source of this program is among
// the documents: a question that is asked word for word would find itself. The midterm
// asks about the lectures before it.
func lectures() ([]lecture, error) {
	data, err := files.ReadFile("page/lectures.json")
	if err != nil {
		return nil, err
	}
	var out []lecture
	return out, json.Unmarshal(data, &out)
}

// suggestions returns the lectures, with a question where the documents have the
// notes that answer it. Without any of the course's notes it returns none.
func suggestions(sources map[string]int) ([]lecture, error) {
	out, err := lectures()
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for name := range sources {
		have[path.Dir(name)] = have[path.Dir(name)] || path.Base(name) == "doc.go"
		have[name] = true
	}
	found := false
	for i, l := range out {
		if !have[l.Notes] {
			out[i].Question = ""
		}
		found = found || have[l.Notes]
	}
	if !found {
		return []lecture{}, nil
	}
	return out, nil
}
