/** What the tests inside the container share: the container itself, other versions of its bundles, and guests. */
package org.backplane.itests.support;
