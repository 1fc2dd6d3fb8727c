package posture

import (
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github"
)

// Add judges the settings that an index holds and puts what comes of it into a document
// of the same index. The error is that of the index.
func Add(d *org.Document, x *org.Index) error {
	var s Settings
	organization, read, err := x.OrganizationSettings()
	if err != nil {
		return err
	}
	if read {
		s.Organization = &organization
	}
	err = x.EachRepositorySettings(func(r github.RepositorySettings) error {
		s.Repositories = append(s.Repositories, r)
		return nil
	})
	if err != nil {
		return err
	}
	jobs, err := x.Reaches()
	if err != nil {
		return err
	}
	d.Posture, d.NotChecked = Judge(d, jobs, s)
	return nil
}
