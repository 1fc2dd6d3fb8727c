//go:build integration

package integration_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
)

// clusterConf is the smallest cluster that serves objects: a monitor, a manager and one storage daemon that keeps all in
// memory, on loopback, with cephx. rgw_s3_auth_use_sts makes the gateway an STS; its key seals session tokens.
const clusterConf = `[global]
fsid = %[2]s
mon_host = [v2:%[3]s]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = %[1]s/keyring
run_dir = %[1]s
admin_socket =
pid_file =
crash_dir = %[1]s/crash
log_file = %[1]s/$name.log
mon_data = %[1]s/mon
mgr_data = %[1]s/mgr
osd_data = %[1]s/osd
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
rgw_data = %[1]s/rgw
rgw_s3_auth_use_sts = true
rgw_sts_key = %[4]s
rgw_frontends = beast endpoint=%[5]s
`

// cephKeys are the daemons and clients of the cluster with what cephx lets each do.
var cephKeys = [][]string{
	{"mon.", "--cap", "mon", "allow *"},
	{"client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"},
	{"osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *", "--cap", "mgr", "allow profile osd"},
	{"mgr.a", "--cap", "mon", "allow profile mgr", "--cap", "osd", "allow *"},
	{"client.rgw", "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx", "--cap", "mgr", "allow r"},
}

// A cluster is a Ceph cluster of one process each, below one directory.
type cluster struct {
	*stage
	dir, conf string
	endpoint  string // of the gateway
}

// startCluster starts the daemons in the order in which they need each other, and the gateway. A machine on which one
// does not come up skips the test.
func (s *stage) startCluster() *cluster {
	s.starting = true
	defer func() { s.starting = false }()
	dir := s.t.TempDir()
	gateway, mon, fsid := freeAddress(s.t), freeAddress(s.t), newUUID()
	c := &cluster{stage: s, dir: dir, conf: filepath.Join(dir, "ceph.conf"), endpoint: "http://" + gateway}
	for _, sub := range []string{"mon", "mgr", "osd", "rgw", "crash"} {
		s.must(os.Mkdir(filepath.Join(dir, sub), 0o700), "making a directory")
	}
	conf := fmt.Sprintf(clusterConf, dir, fsid, mon, rand.Text()[:16], gateway)
	s.must(os.WriteFile(c.conf, []byte(conf), 0o600), "writing ceph.conf")

	keyring, monmap := filepath.Join(dir, "keyring"), filepath.Join(dir, "monmap")
	create := []string{"--create-keyring"}
	for _, key := range cephKeys {
		s.run("ceph-authtool", append(append(create, keyring, "--gen-key", "-n"), key...)...)
		create = nil
	}
	s.run("monmaptool", "--create", "--addv", "a", "[v2:"+mon+"]", "--fsid", fsid, monmap)
	s.run("ceph-mon", "-c", c.conf, "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
	server := c.daemon("ceph-mon", "-i", "a")
	s.waitUntil(server, func() bool { return strings.Contains(c.ceph("status"), "quorum") })
	c.daemon("ceph-mgr", "-i", "a")
	osd := newUUID()
	c.ceph("osd", "new", osd, "0")
	s.run("ceph-osd", "-c", c.conf, "-i", "0", "--mkfs", "--osd-uuid", osd)
	server = c.daemon("ceph-osd", "-i", "0")
	s.waitUntil(server, func() bool { return strings.Contains(c.ceph("osd", "stat"), "1 up") })
	server = c.daemon("radosgw", "-n", "client.rgw")
	s.waitUntil(server, func() bool { return answers(s.ctx, c.endpoint) })
	return c
}

func (c *cluster) daemon(name string, args ...string) *server {
	return c.serve(c.dir, nil, name, append([]string{"-c", c.conf, "-f"}, args...)...)
}

func (c *cluster) ceph(args ...string) string {
	return c.run("ceph", append([]string{"-c", c.conf, "--connect-timeout", "30"}, args...)...)
}

// user makes a user of the gateway and returns its keys.
func (c *cluster) user(name, caps string) awssdk.Credentials {
	keys := awssdk.Credentials{AccessKeyID: rand.Text(), SecretAccessKey: rand.Text()}
	out := c.run("radosgw-admin", "-c", c.conf, "-n", "client.rgw", "user", "create", "--uid", name, "--display-name", name,
		"--access-key", keys.AccessKeyID, "--secret-key", keys.SecretAccessKey, "--caps", caps)
	c.check(strings.Contains(out, `"`+name+`"`), "the user %s is made", name)
	return keys
}

// policyText is a policy as JSON without spaces, which is the form that the gateway reads.
func (s *stage) policyText(statement map[string]any) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{statement}})
	s.must(err, "writing a policy")
	return string(text)
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
