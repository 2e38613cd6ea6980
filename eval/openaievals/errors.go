package openaievals

import "errors"

// Errors that callers branch on. They come wrapped with what was wrong and where.
var (
	ErrOption = errors.New("openaievals: invalid option") // an option that cannot work, or a required argument that is missing
	ErrFormat = errors.New("openaievals: malformed file") // a file that the framework doesn't read either
	ErrKind   = errors.New("openaievals: this kind of eval can't be run here")
)
