package token

import (
	"fmt"
	"math"
	"strings"
)

// An Image has what determines the cost of an image.
type Image struct {
	Width, Height int    // pixels; 0 if they are not known
	Detail        string // "low", "high", or "auto" and "", which count as high
}

// An ImageRule states what images cost for a family of models: by tiles of 512 by 512
// pixels, or by patches of 32 by 32. The source is OpenAI's guide "Images and
// vision".
type ImageRule struct {
	// Base and PerTile are the cost by tiles. The image is scaled down to fit into 2048
	// by 2048 pixels, then until its shorter side has at most 768. It costs Base,
	// and PerTile for each tile. With low detail it costs Base.
	Base, PerTile int

	// Multiplier, if it is not 0, is the cost of a patch. The image is scaled down until
	// at most 1536 patches cover it. The detail doesn't matter.
	Multiplier float64

	// Estimated is true if the numbers are not published for the model.
	Estimated bool
}

// ImageEstimate returns the rule for images of a model whose own rule isn't known:
// 1.37 tokens for a patch. That is Anthropic's rule, width times height divided by
// 750. So a square of 1024 pixels costs 1,403 tokens, and no image more than 2,105.
// GPT-4o takes 765 for that square, and few models take much more. An estimate is
// better than none: an image is never free.
func ImageEstimate() ImageRule { return ImageRule{Multiplier: 1.37, Estimated: true} }

// imageRules has the longer prefixes first. A prefix must end where the name or a
// part of it ends.
var imageRules = []struct {
	prefix string
	rule   ImageRule
}{
	{"gpt-4o-mini", ImageRule{Base: 2833, PerTile: 5667}},
	{"gpt-4o", ImageRule{Base: 85, PerTile: 170}},
	{"chatgpt-4o", ImageRule{Base: 85, PerTile: 170}},
	{"gpt-4.5", ImageRule{Base: 85, PerTile: 170}},
	{"gpt-4.1-mini", ImageRule{Multiplier: 1.62}},
	{"gpt-4.1-nano", ImageRule{Multiplier: 2.46}},
	{"gpt-4.1", ImageRule{Base: 85, PerTile: 170}},
	{"gpt-5-mini", ImageRule{Multiplier: 1.62}},
	{"gpt-5-nano", ImageRule{Multiplier: 2.46}},
	{"gpt-5", ImageRule{Base: 70, PerTile: 140}},
	{"o4-mini", ImageRule{Multiplier: 1.72}},
	{"o1", ImageRule{Base: 75, PerTile: 150}},
	{"o3", ImageRule{Base: 75, PerTile: 150}},
}

// ImageRuleOf returns the rule of a model, or an [*UnknownModelError].
func ImageRuleOf(model string) (ImageRule, error) {
	base := strings.TrimPrefix(bareModel(model), "ft:")
	if base != "o1-mini" && base != "o3-mini" { // these take no images
		for _, r := range imageRules {
			if rest, ok := strings.CutPrefix(base, r.prefix); ok && (rest == "" || rest[0] == '-' || rest[0] == ':') {
				return r.rule, nil
			}
		}
	}
	return ImageRule{}, &UnknownModelError{model, "cost of images"}
}

// Tokens returns the cost of an image. It fails with [ErrOption] if a side is not
// positive or the detail is not one of those of [Image].
func (r *ImageRule) Tokens(img Image) (int, error) {
	if img.Width <= 0 || img.Height <= 0 {
		return 0, fmt.Errorf("%w: the image has %d by %d pixels: want 1 or more", ErrOption, img.Width, img.Height)
	}
	switch img.Detail {
	case "low", "high", "auto", "":
	default:
		return 0, fmt.Errorf(`%w: Image.Detail is %q: want "low", "high", "auto" or ""`, ErrOption, img.Detail)
	}
	w, h := float64(img.Width), float64(img.Height)
	switch {
	case r.Multiplier != 0:
		return int(math.Ceil(patches(w, h) * r.Multiplier)), nil
	case img.Detail == "low":
		return r.Base, nil
	}
	w, h = shrink(w, h, 2048/max(w, h))
	w, h = shrink(w, h, 768/min(w, h))
	return r.Base + r.PerTile*int(math.Ceil(w/512)*math.Ceil(h/512)), nil
}

// Count is [ImageRule.Tokens] for every image: an image of unknown size is counted as a
// square of 1024 pixels. The count is Estimated for such an image, and for an
// Estimated rule.
func (r *ImageRule) Count(img Image) Count {
	n, err := r.Tokens(img)
	if err == nil {
		return Count{n, r.Estimated}
	}
	n, _ = r.Tokens(Image{Width: 1024, Height: 1024, Detail: "high"})
	return Count{n, true}
}

func shrink(w, h, factor float64) (float64, float64) {
	if factor >= 1 {
		return w, h
	}
	return w * factor, h * factor
}

// patches returns how many squares of 32 pixels cover the image after it was scaled
// down to at most 1536 of them. The scaled image is a whole number of squares wide or
// high.
func patches(w, h float64) float64 {
	const side, most = 32, 1536
	p := math.Ceil(w/side) * math.Ceil(h/side)
	if p <= most {
		return p
	}
	r := math.Sqrt(side * side * most / (w * h))
	whole := 1.0
	for _, n := range []float64{w * r / side, h * r / side} {
		if n >= 1 { // else one square is wider than the image
			whole = min(whole, math.Floor(n)/n)
		}
	}
	r = min(1, r*whole)
	return min(most, math.Ceil(w*r/side)*math.Ceil(h*r/side))
}
