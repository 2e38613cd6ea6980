package prodai

import "embed"

// Notes holds the lecture notes, which are the package comments (each public
// package's doc.go), and the source of the examples. The capstone answers
// questions about the course from it. Solutions and graders of assignments, data
// files and weights are left out.
//
//go:embed README.md doc.go */doc.go */*/doc.go */*/*/doc.go */*/*/*/doc.go
//go:embed examples/README.md examples/*/*.go examples/*/*.md examples/*/starter/*.go examples/capstone/internal/*/*.go
var Notes embed.FS
