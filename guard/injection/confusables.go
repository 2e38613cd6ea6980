package injection

import "sync"

// Pairs of a letter and the ASCII letter it looks like, chosen by hand from what
// attacks use: Cyrillic, Greek, Armenian, phonetic and small-capital
// letters. NFKC has already replaced full-width, mathematical and circled ones.
const confusablePairs = "" +
	"аaеeоoрpсcуyхxѕsіiјjһhԁdԛqԝwѵvьbвbкkмmнhтtгrпnԍgӏlАAВBЕEКKМMНHОOРPСCТTХXУYЅSІIЈJҺHԚQԜWЗ3" +
	"αaβbεeηnιiκkνvοoρpτtυuχxγyωwϲcϳjσoΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹC" +
	"ոnօoսuհhցgյjѡwԱUՏSՕO" +
	"ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzǫq" +
	"ɑaɡgıiɩiʋvɾrʟləeøoØOłlŁLđdĐDħhℓlꞌ'ƨsƽsʂsɓbɗdɛeɨiɵoʍwʎyɐaɔcɯmɹrʇtʌvʞkɥhǝe" +
	"“\"”\"‘'’'‚'„\"«\"»\"‐-‑-‒-–-—-―-−-"

var confusableTable = sync.OnceValue(func() *[0xA790]byte {
	var t [0xA790]byte
	pairs := []rune(confusablePairs)
	for i := 0; i+1 < len(pairs); i += 2 {
		t[pairs[i]] = byte(pairs[i+1])
	}
	return &t
})

// confusable returns the ASCII character that r looks like.
func confusable(r rune) (rune, bool) {
	switch {
	case r < 0x80:
		return 0, false
	case r >= 0x1F150 && r <= 0x1F169: // negative circled
		return 'a' + r - 0x1F150, true
	case r >= 0x1F170 && r <= 0x1F189: // negative squared
		return 'a' + r - 0x1F170, true
	case r >= 0xA790:
		return 0, false
	}
	b := confusableTable()[r]
	return rune(b), b != 0
}
