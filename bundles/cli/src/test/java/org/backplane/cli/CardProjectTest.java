package org.backplane.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CardProjectTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"", "Blink", "1st", "-x", "x-", "a--b", "a_b", "../x", "a/b", "a b", "ümlaut"})
    void namesAreSmallLettersDigitsAndDashes(String name) {
        CardProject.Refused e = assertThrows(CardProject.Refused.class, () -> CardProject.of(name, "com.example"));
        assertTrue(e.getMessage().startsWith("'" + name + "' is no name for a card"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"switch, com.example", "x, 1com", "x, com.", "x, com.new", "x, com example"})
    void packageMustBeOneForJava(String name, String group) {
        CardProject.Refused e = assertThrows(CardProject.Refused.class, () -> CardProject.of(name, group));
        assertTrue(e.getMessage().contains("is no name for a package"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"blink, BlinkCard, blink", "my-card, MyCard, mycard", "rs-485, Rs485Card, rs485", "list, ListCard, list"})
    void classAndPackageFollowFromTheName(String name, String className, String lastOfPackage) throws Exception {
        CardProject p = CardProject.of(name, "org.acme");
        assertEquals(className, p.className());
        assertEquals("org.acme." + lastOfPackage, p.packageName());
    }

    private Path homeWithArchetype() throws IOException {
        Path home = directory.resolve("home");
        Path jar = home.resolve("repository/org/backplane/backplane-card-archetype/9.9/backplane-card-archetype-9.9.jar");
        Files.createDirectories(jar.getParent());
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, "META-INF/maven/archetype-metadata.xml", "no file of the project");
            put(zip, "archetype-resources/pom.xml", "${groupId} ${artifactId} ${version} ${project.version} $1");
            put(zip, "archetype-resources/src/main/java/__className__Factory.java", "package ${package}; class ${className}Factory {}");
        }
        return home;
    }

    private static void put(ZipOutputStream zip, String name, String text) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void filesAreThoseOfTheArchetype() throws Exception {
        Path home = homeWithArchetype();
        Path project = directory.resolve("blink");
        CardProject.of("blink", "org.acme").create(home, project);
        assertEquals("org.acme blink 1.0.0-SNAPSHOT ${project.version} $1", Files.readString(project.resolve("pom.xml")));
        assertEquals(
                "package org.acme.blink; class BlinkCardFactory {}",
                Files.readString(project.resolve("src/main/java/org/acme/blink/BlinkCardFactory.java")));
        assertEquals("-Dbackplane.home=" + home + "\n", Files.readString(project.resolve(".mvn/maven.config")));
        assertTrue(Files.readString(project.resolve(".gitignore")).contains(".mvn/maven.config"), "that is for this host only");
        assertFalse(Files.exists(project.resolve("META-INF")));
    }

    @Test
    void nothingThatIsThereIsTouched() throws Exception {
        Path home = homeWithArchetype();
        Path project = Files.createDirectory(directory.resolve("blink"));
        assertThrows(CardProject.Refused.class, () -> CardProject.of("blink", "org.acme").create(home, project));
        try (var files = Files.list(project)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void distributionWithoutArchetypeIsTold() {
        CardProject.Refused e = assertThrows(
                CardProject.Refused.class, () -> CardProject.of("blink", "org.acme").create(directory, directory.resolve("blink")));
        assertTrue(e.getMessage().startsWith("this Backplane has no archetype in "), e.getMessage());
    }
}
