package engine

import (
	"net/http"

	"github.com/prodailabs/prodai/retry/openai"
)

// OpenAI returns a client of an engine, and a model of the OpenAI routes that it has below
// a path. The client has the options' header and sends their key.
func OpenAI(address, path, model string, o openai.Options) (*Client, *openai.Model, error) {
	header := o.Header.Clone()
	if o.APIKey != "" {
		if header == nil {
			header = http.Header{}
		}
		header.Set("Authorization", "Bearer "+o.APIKey)
	}
	c, err := NewClient(address, header, o.HTTPClient)
	if err != nil {
		return nil, nil, err
	}
	o.BaseURL = c.Base + path
	m, err := openai.New(model, &o)
	return c, m, err
}
