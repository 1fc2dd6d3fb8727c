'use strict';
require('./launcher').run('lint');
