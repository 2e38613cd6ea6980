package prodai

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// Notes holds the lecture notes, which are the package comments (each public
// package's doc.go), and the source of the examples. The capstone answers
// questions about the course from it. Solutions and graders of assignments, data
// files and weights are left out.
//
//go:embed README.md doc.go */doc.go */*/doc.go */*/*/doc.go */*/*/*/doc.go
//go:embed examples/README.md examples/*/*.go examples/*/*.md examples/*/starter/*.go examples/capstone/internal/*/*.go
var Notes embed.FS

// Sentences returns the different sentences and lines of the notes and the examples that
// have at least 25 bytes, in the order of the files: some ten thousand texts of one
// subject, on which the labs try embedders and indexes.
func Sentences() []string {
	seen := map[string]bool{}
	var out []string
	_ = fs.WalkDir(Notes, ".", func(name string, d fs.DirEntry, err error) error { // files of the program can be read
		if err != nil || d.IsDir() {
			return err
		}
		data, err := Notes.ReadFile(name)
		if err != nil {
			return err
		}
		text := string(data)
		if path.Base(name) == "doc.go" { // its paragraphs as lines
			text = strings.ReplaceAll(strings.ReplaceAll(text, "\n//\n", "\x00"), "\n// ", " ")
		}
		for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == 0 }) {
			for s := range strings.SplitSeq(line, ". ") {
				s = strings.Trim(s, "/ \t")
				if len(s) >= 25 && !seen[s] {
					seen[s] = true
					out = append(out, s)
				}
			}
		}
		return nil
	})
	return out
}
