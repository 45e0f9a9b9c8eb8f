@Export
@Version("1.0.0")
package org.backplane.kvm.spi;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
