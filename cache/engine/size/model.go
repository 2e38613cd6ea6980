package size

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrOption is wrapped by every error about an invalid option, model or GPU.
var ErrOption = errors.New("size: invalid option")

// A Model is the shape of a transformer, as far as memory and speed depend on it. Counts
// are per layer where nothing else is said.
type Model struct {
	Name   string
	Layers int
	Hidden int // width of the residual stream

	Heads   int // of queries
	KVHeads int // of keys and values: fewer than Heads with grouped-query attention
	HeadDim int // elements of a head; 0: Hidden / Heads

	// Latent is the number of elements that a layer keeps for a token with multi-head
	// latent attention, the rotary part included. 0: the model keeps keys and values.
	Latent int

	// WindowLayers is how many layers see only the last Window tokens. 0: none.
	WindowLayers, Window int

	Intermediate int // width of the feed-forward part
	Vocab        int

	// Params is the number of weights, and Active how many of them a token uses, which
	// is less in a mixture of experts. 0: Params is computed from the shape of a dense
	// gated model, and Active is Params.
	Params, Active int64

	Tied bool // the embedding is also the output layer
}

// config is what a Hugging Face config.json says. Names differ among model families.
type config struct {
	Type         string `json:"model_type"`
	Layers       int    `json:"num_hidden_layers"`
	NLayer       int    `json:"n_layer"`
	Hidden       int    `json:"hidden_size"`
	NEmbd        int    `json:"n_embd"`
	Heads        int    `json:"num_attention_heads"`
	NHead        int    `json:"n_head"`
	KVHeads      *int   `json:"num_key_value_heads"`
	HeadDim      int    `json:"head_dim"`
	Intermediate int    `json:"intermediate_size"`
	Vocab        int    `json:"vocab_size"`
	Tied         bool   `json:"tie_word_embeddings"`

	KVRank int `json:"kv_lora_rank"`
	Rope   int `json:"qk_rope_head_dim"`

	Window     *int     `json:"sliding_window"`
	UseWindow  *bool    `json:"use_sliding_window"`
	LayerTypes []string `json:"layer_types"`

	Experts       int             `json:"num_experts"`
	LocalExperts  int             `json:"num_local_experts"`
	RoutedExperts int             `json:"n_routed_experts"`
	TextConfig    json.RawMessage `json:"text_config"`
}

const longestConfig = 1 << 20

// ReadConfig reads the shape of a model from the config.json that Hugging Face keeps with
// its weights. The number of weights of a mixture of experts isn't in it: set Params and
// Active. Errors wrap [ErrOption].
func ReadConfig(r io.Reader) (*Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, longestConfig+1))
	if err != nil {
		return nil, fmt.Errorf("size: %w", err)
	}
	if len(data) > longestConfig {
		return nil, fmt.Errorf("%w: the configuration is longer than %d bytes", ErrOption, longestConfig)
	}
	var c config
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("%w: the configuration: %w", ErrOption, err)
	}
	if len(c.TextConfig) > 0 && c.Layers == 0 && c.NLayer == 0 { // a model of text and images
		if err := json.Unmarshal(c.TextConfig, &c); err != nil {
			return nil, fmt.Errorf("%w: text_config: %w", ErrOption, err)
		}
	}
	m := &Model{
		Name: c.Type, Layers: first(c.Layers, c.NLayer), Hidden: first(c.Hidden, c.NEmbd), Heads: first(c.Heads, c.NHead), HeadDim: c.HeadDim,
		Intermediate: c.Intermediate, Vocab: c.Vocab, Tied: c.Tied,
	}
	m.KVHeads = m.Heads
	if c.KVHeads != nil {
		m.KVHeads = *c.KVHeads
	}
	if c.KVRank > 0 {
		m.Latent = c.KVRank + c.Rope
	}
	if c.Window != nil && (c.UseWindow == nil || *c.UseWindow) {
		m.Window = *c.Window
		m.WindowLayers = m.Layers
		if len(c.LayerTypes) > 0 {
			m.WindowLayers = 0
			for _, t := range c.LayerTypes {
				if t == "sliding_attention" {
					m.WindowLayers++
				}
			}
		}
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	if n := first(c.Experts, c.LocalExperts, c.RoutedExperts); n > 1 {
		m.Params = -1 // unknown: see weights
	}
	return m, nil
}

func first(values ...int) int {
	for _, v := range values {
		if v != 0 {
			return v
		}
	}
	return 0
}

const most = 1 << 24

func (m *Model) check() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"Layers", m.Layers, 1}, {"Hidden", m.Hidden, 1}, {"Heads", m.Heads, 1}, {"KVHeads", m.KVHeads, 1}, {"HeadDim", m.HeadDim, 0},
		{"Latent", m.Latent, 0}, {"WindowLayers", m.WindowLayers, 0}, {"Window", m.Window, 0}, {"Intermediate", m.Intermediate, 0}, {"Vocab", m.Vocab, 0},
	} {
		if f.value < f.least || f.value > most {
			return fmt.Errorf("%w: Model.%s is %d: want %d to %d", ErrOption, f.name, f.value, f.least, most)
		}
	}
	if m.KVHeads > m.Heads || m.WindowLayers > m.Layers {
		return fmt.Errorf("%w: %d KVHeads of %d Heads, %d WindowLayers of %d Layers: want no more than there are", ErrOption, m.KVHeads, m.Heads, m.WindowLayers, m.Layers)
	}
	return nil
}

func (m *Model) headDim() int {
	if m.HeadDim > 0 {
		return m.HeadDim
	}
	return m.Hidden / m.Heads
}

// weights returns how many weights the model has, and how many a token uses.
func (m *Model) weights() (all, active int64, err error) {
	if m.Params < 0 || m.Params == 0 && m.Intermediate == 0 {
		return 0, 0, fmt.Errorf("%w: Model.Params is not set, and can't be computed for this model: want the number of weights", ErrOption)
	}
	all = m.Params
	if all == 0 {
		h, d := int64(m.Hidden), int64(m.headDim())
		attention := h*d*int64(m.Heads)*2 + h*d*int64(m.KVHeads)*2
		all = int64(m.Layers)*(attention+3*h*int64(m.Intermediate)+2*h) + h + h*int64(m.Vocab)
		if !m.Tied {
			all += h * int64(m.Vocab)
		}
	}
	active = m.Active
	if active <= 0 {
		active = all
	}
	return all, active, nil
}

// Weights returns the number of weights: Params, or what the shape gives. The error wraps
// [ErrOption] if it is unknown.
func (m *Model) Weights() (int64, error) {
	if err := m.check(); err != nil {
		return 0, err
	}
	all, _, err := m.weights()
	return all, err
}

// KVBytesPerToken returns how many bytes of KV cache a token needs in all layers that
// keep it: 2 × layers × KV heads × head size × bytes, or layers × latent × bytes.
func (m *Model) KVBytesPerToken(f Format) float64 {
	return float64(m.Layers) * m.perLayer() * f.bits() / 8
}

// perLayer is how many elements a layer keeps of a token.
func (m *Model) perLayer() float64 {
	if m.Latent > 0 {
		return float64(m.Latent)
	}
	return 2 * float64(m.KVHeads) * float64(m.headDim())
}

// KVBytes returns how many bytes of KV cache a sequence of a length needs. Layers with a
// window keep the window only. An engine may still allocate the whole length for them.
func (m *Model) KVBytes(length int, f Format) float64 {
	full := float64(m.Layers-m.WindowLayers) * float64(length)
	windowed := float64(m.WindowLayers) * float64(min(length, m.Window))
	return (full + windowed) * m.perLayer() * f.bits() / 8
}
