package trust

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// CheckKeys is an error when an object anywhere in a JSON document has one key twice,
// letter case aside: readers differ in which of the two counts, so that the cloud may
// compare another value than the one that was judged. A document that is not JSON, or
// deeper than the decoder goes, is left to the reader.
func CheckKeys(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	return checkValue(d)
}

func checkValue(d *json.Decoder) error {
	start, err := d.Token()
	if err != nil {
		return nil
	}
	if start != json.Delim('{') && start != json.Delim('[') {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if start == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return nil
			}
			name := strings.ToLower(fmt.Sprint(key))
			if seen[name] {
				return fmt.Errorf("the key %.60q is given twice", name)
			}
			seen[name] = true
		}
		if err := checkValue(d); err != nil {
			return err
		}
	}
	_, _ = d.Token() // the end; what is wrong with it is the reader's to say
	return nil
}
