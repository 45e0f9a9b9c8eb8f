// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Where things are.
 *
 * <p>Several Backplanes run at once from one distribution, which may be read-only: nothing is written below
 * {@link #home}. Each process has a scratch directory of its own, {@link #cache}, deleted at the end. History and log
 * are kept in {@link #data} and shared; both are only ever appended to.
 *
 * @param home the distribution
 * @param data history and log
 * @param cache scratch files of this process
 */
record Places(Path home, Path data, Path cache) {

    private static final FileAttribute<?> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /** Finds the places; {@code data} is the directory the user named, or null. */
    static Places find(Path data) throws IOException {
        String home = System.getProperty("backplane.home");
        if (home == null) {
            throw new IOException("backplane.home is not set; start Backplane by its script");
        }
        Path kept = data != null ? data : usable(Path.of(System.getProperty("user.home", "."), ".backplane"));
        Files.createDirectories(kept);
        Path cache = scratch(data != null ? data : Path.of(System.getProperty("java.io.tmpdir")));
        return new Places(Path.of(home).toAbsolutePath().normalize(), kept, cache);
    }

    /**
     * A directory that only this user may enter. {@link Files#createTempDirectory} would do the same, but starts the
     * machinery of secure random numbers, 20 ms that are not needed: a name that is taken is simply not used.
     */
    private static Path scratch(Path parent) throws IOException {
        long pid = ProcessHandle.current().pid();
        for (int i = 0; ; i++) {
            Path path = parent.resolve("backplane-" + pid + (i == 0 ? "" : "-" + i));
            try {
                return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                        ? Files.createDirectory(path, PRIVATE)
                        : Files.createDirectory(path);
            } catch (FileAlreadyExistsException e) {
                // Left behind by a killed process that had this number.
            }
        }
    }

    /** A home directory that cannot be written (a build robot's, say) is no reason not to start. */
    private static Path usable(Path directory) {
        try {
            Files.createDirectories(directory);
            if (Files.isWritable(directory)) {
                return directory;
            }
        } catch (IOException e) {
            // Falls through to the place that everyone may write to.
        }
        return Path.of(System.getProperty("java.io.tmpdir"), "backplane-" + System.getProperty("user.name"));
    }

    Path system() {
        return home.resolve("system");
    }

    Path etc() {
        return home.resolve("etc");
    }

    Path history() {
        return data.resolve("history");
    }

    Path log() {
        return data.resolve("backplane.log");
    }

    /** Deletes the scratch directory; what cannot be deleted stays. */
    void clean() {
        try {
            Files.walkFileTree(cache, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
                    Files.deleteIfExists(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException | UncheckedIOException e) {
            // It lies in the temporary directory; nothing is lost but space.
        }
    }
}
