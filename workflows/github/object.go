package github

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// isBlob reports whether the content has the git object id.
func isBlob(oid string, content []byte) bool {
	var h hash.Hash
	switch len(oid) {
	case 2 * sha1.Size:
		h = sha1.New() // git's, not ours
	case 2 * sha256.Size:
		h = sha256.New()
	default:
		return false
	}
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return strings.EqualFold(hex.EncodeToString(h.Sum(nil)), oid)
}
