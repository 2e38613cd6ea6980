package llama

import "errors"

// Errors of this package. What is returned wraps one of them, or the context's error.
var (
	ErrOption  = errors.New("llama: an option can't work")
	ErrModel   = errors.New("llama: a model that this package can't run")
	ErrContext = errors.New("llama: the context window is too small")
	ErrToken   = errors.New("llama: not a token of the vocabulary")
	ErrPages   = errors.New("llama: no free page")
	ErrSchema  = errors.New("llama: a JSON schema that can't be enforced")
	ErrPrompt  = errors.New("llama: a prompt that this model can't take")
)
