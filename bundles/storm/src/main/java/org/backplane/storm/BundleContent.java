package org.backplane.storm;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.Deflater;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;

/** All files of a bundle, kept to make jars of them that differ in name and version. */
final class BundleContent {
    private final Manifest manifest;
    private final Map<String, byte[]> files = new LinkedHashMap<>();

    /** Reads them from the bundle itself, wherever it was installed from. */
    BundleContent(Bundle bundle) throws IOException {
        try (InputStream in = bundle.getEntry(JarFile.MANIFEST_NAME).openStream()) {
            manifest = new Manifest(in);
        }
        read(bundle, "/");
    }

    private void read(Bundle bundle, String directory) throws IOException {
        Enumeration<String> paths = bundle.getEntryPaths(directory);
        if (paths == null) return;
        for (String path : Collections.list(paths)) {
            if (path.endsWith("/")) {
                read(bundle, path);
            } else if (!path.equals(JarFile.MANIFEST_NAME)) {
                URL url = bundle.getEntry(path);
                try (InputStream in = url.openStream()) {
                    files.put(path, in.readAllBytes());
                }
            }
        }
    }

    /** A jar of the same files. It is not compressed: it is read once, and soon. */
    InputStream jar(String symbolicName, String version) throws IOException {
        Manifest changed = new Manifest(manifest);
        changed.getMainAttributes().putValue(Constants.BUNDLE_SYMBOLICNAME, symbolicName);
        changed.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream to = new JarOutputStream(bytes)) {
            to.setLevel(Deflater.NO_COMPRESSION);
            to.putNextEntry(new JarEntry(JarFile.MANIFEST_NAME));
            changed.write(to);
            for (Map.Entry<String, byte[]> f : files.entrySet()) {
                to.putNextEntry(new JarEntry(f.getKey()));
                to.write(f.getValue());
            }
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }
}
