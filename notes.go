package prodai

import "embed"

// Notes holds the lecture notes (the doc.go of every package, with this one's)
// and the source of the examples. The capstone answers questions about the
// course from it.
//
//go:embed doc.go */doc.go */*/doc.go examples
var Notes embed.FS
