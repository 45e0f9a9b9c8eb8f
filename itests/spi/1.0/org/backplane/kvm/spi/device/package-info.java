@Export
@Version("1.0.0")
package org.backplane.kvm.spi.device;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
