// SPDX-License-Identifier: Apache-2.0
package org.backplane.deploy;

import java.io.File;
import java.io.IOException;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names the jars in {@code deploy/} that are no bundles, and why. File Install itself is silent about them: it looks
 * for a listener that can handle the file and waits for one to come. This is that listener. It takes the file by doing
 * nothing; when the file becomes a bundle, it no longer can handle it and File Install hands it to its own.
 *
 * <p>Called by File Install's thread, for each file that is new or changed.
 */
@Component
public final class BadBundles implements ArtifactInstaller {

    private static final Logger LOG = LoggerFactory.getLogger(BadBundles.class);

    @Override
    public boolean canHandle(File artifact) {
        return artifact.getName().endsWith(".jar") && artifact.isFile() && defect(artifact) != null;
    }

    @Override
    public void install(File artifact) {
        LOG.warn("{} is not a bundle: {}", artifact, defect(artifact));
    }

    @Override
    public void update(File artifact) {
        install(artifact);
    }

    @Override
    public void uninstall(File artifact) {
        // There is nothing of it in the container.
    }

    /** Why a file is no bundle, or null if it is one. */
    static String defect(File file) {
        try (JarFile jar = new JarFile(file)) {
            Manifest manifest = jar.getManifest();
            if (manifest == null) {
                return "it has no manifest";
            }
            // The header by which File Install recognizes a bundle.
            return manifest.getMainAttributes().getValue("Bundle-SymbolicName") == null
                    ? "its manifest has no Bundle-SymbolicName"
                    : null;
        } catch (IOException e) {
            return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        }
    }
}
