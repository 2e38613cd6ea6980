package bert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Bounds of the files beside the weights, in bytes.
const (
	maxConfig     = 1 << 20
	maxVocabulary = 64 << 20
)

// config is what config.json says about the layers.
type config struct {
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Intermediate int     `json:"intermediate_size"`
	Vocabulary   int     `json:"vocab_size"`
	Positions    int     `json:"max_position_embeddings"`
	Types        int     `json:"type_vocab_size"`
	Epsilon      float64 `json:"layer_norm_eps"`
	Activation   string  `json:"hidden_act"`
	ModelType    string  `json:"model_type"`
	Position     string  `json:"position_embedding_type"`
}

// check bounds each number, so that no product of three overflows, and refuses kinds of
// models that would give wrong vectors here.
func (c *config) check() error {
	for _, f := range []struct {
		name      string
		value, to int
	}{
		{"hidden_size", c.Hidden, 1 << 16}, {"num_hidden_layers", c.Layers, 1 << 10}, {"num_attention_heads", c.Heads, 1 << 10},
		{"intermediate_size", c.Intermediate, 1 << 18}, {"vocab_size", c.Vocabulary, 1 << 22},
		{"max_position_embeddings", c.Positions, 1 << 16}, {"type_vocab_size", c.Types, 1 << 8},
	} {
		if f.value < 1 || f.value > f.to {
			return fmt.Errorf("%w: config.json: %s is %d, want 1 to %d", ErrModel, f.name, f.value, f.to)
		}
	}
	switch {
	case c.Hidden%c.Heads != 0:
		return fmt.Errorf("%w: config.json: %d heads for a hidden size of %d", ErrModel, c.Heads, c.Hidden)
	case !(c.Epsilon >= 0 && c.Epsilon < 1):
		return fmt.Errorf("%w: config.json: layer_norm_eps is %v", ErrModel, c.Epsilon)
	case c.ModelType != "bert":
		return fmt.Errorf("%w: model_type %.40q, want bert", ErrUnsupported, c.ModelType)
	case c.Activation != "gelu" && c.Activation != "relu":
		return fmt.Errorf("%w: hidden_act %.40q, want gelu or relu", ErrUnsupported, c.Activation)
	case c.Position != "" && c.Position != "absolute":
		return fmt.Errorf("%w: position_embedding_type %.40q, want absolute", ErrUnsupported, c.Position)
	}
	return nil
}

// readJSON reads a file into v. A file that is missing leaves v as it is and reports
// false.
func readJSON(dir fs.FS, name string, most int64, v any) (bool, error) {
	data, err := readFile(dir, name, most)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%w: %s: %w", ErrModel, name, err)
	}
	return true, nil
}

// readFile reads a file of at most the given number of bytes.
func readFile(dir fs.FS, name string, most int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrModel, name, most)
	}
	return data, nil
}

func readConfig(dir fs.FS) (config, error) {
	c := config{Types: 2, Epsilon: 1e-12, Activation: "gelu", ModelType: "bert"}
	ok, err := readJSON(dir, "config.json", maxConfig, &c)
	if err == nil && !ok {
		err = fmt.Errorf("%w: no config.json", ErrModel)
	}
	if err != nil {
		return c, err
	}
	return c, c.check()
}

// pooling is how sentence-transformers make one vector of those of the tokens.
type pooling struct {
	first     bool // the vector of [CLS], not the mean
	normalize bool
	limit     int // of tokens; 0: the positions of the model
}

// readPooling reads the files that sentence-transformers write. A folder without them
// means the mean, of length 1.
func readPooling(dir fs.FS) (pooling, error) {
	p := pooling{normalize: true}
	var sentence struct {
		Max int `json:"max_seq_length"`
	}
	if _, err := readJSON(dir, "sentence_bert_config.json", maxConfig, &sentence); err != nil {
		return p, err
	}
	p.limit = max(0, sentence.Max)
	var modules []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	ok, err := readJSON(dir, "modules.json", maxConfig, &modules)
	if err != nil || !ok {
		return p, err
	}
	p.normalize = false
	for _, m := range modules {
		switch m.Type[strings.LastIndexByte(m.Type, '.')+1:] {
		case "Transformer":
		case "Normalize":
			p.normalize = true
		case "Pooling":
			if err := p.readMode(dir, m.Path); err != nil {
				return p, err
			}
		default:
			return p, fmt.Errorf("%w: modules.json has a module %.60q", ErrUnsupported, m.Type)
		}
	}
	return p, nil
}

func (p *pooling) readMode(dir fs.FS, path string) error {
	name := strings.TrimSuffix(path, "/") + "/config.json"
	if !fs.ValidPath(name) {
		return fmt.Errorf("%w: modules.json has the path %.80q", ErrModel, path)
	}
	mode := map[string]any{}
	if _, err := readJSON(dir, name, maxConfig, &mode); err != nil {
		return err
	}
	var set []string
	if name, ok := mode["pooling_mode"].(string); ok {
		set = append(set, "pooling_mode_"+name+"_tokens")
	}
	for key, v := range mode {
		if on, _ := v.(bool); on && strings.HasPrefix(key, "pooling_mode_") {
			set = append(set, key)
		}
	}
	switch {
	case len(set) == 0 || len(set) == 1 && set[0] == "pooling_mode_mean_tokens":
	case len(set) == 1 && strings.HasPrefix(set[0], "pooling_mode_cls_token"):
		p.first = true
	default:
		return fmt.Errorf("%w: the pooling %.120s, want the mean or [CLS]", ErrUnsupported, fmt.Sprint(set))
	}
	return nil
}
