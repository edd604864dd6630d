package io.twinkernel.harness.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputUnit;
import io.vertx.json.schema.Validator;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes report.json and report.html, and holds what is written against the schema. */
public final class ReportFiles {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ReportFiles() {}

  /** Writes both files, then validates the JSON as it lies on the disk. */
  public static void write(DemoReport report, Path directory) throws IOException {
    Files.createDirectories(directory);
    Path json = directory.resolve("report.json");
    Files.writeString(json, json(report));
    Files.writeString(directory.resolve("report.html"), new ReportHtml(report).render());
    List<String> faults = faults(Files.readString(json));
    if (!faults.isEmpty()) {
      throw new IOException(json + " does not match its schema: " + String.join("; ", faults));
    }
  }

  /** Writes measure.json and measure.html. */
  public static void write(MeasureReport report, Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("measure.json"), JSON.writeValueAsString(report) + "\n");
    Files.writeString(directory.resolve("measure.html"), new MeasureHtml(report).render());
  }

  static String json(DemoReport report) {
    try {
      return JSON.writeValueAsString(report) + "\n";
    } catch (JsonProcessingException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /** What is wrong with a report by the schema; empty if nothing is. */
  public static List<String> faults(String json) {
    JsonSchema schema = JsonSchema.of(new JsonObject(schema()));
    OutputUnit result =
        Validator.create(
                schema,
                new JsonSchemaOptions()
                    .setBaseUri("https://twinkernel.invalid/")
                    .setDraft(Draft.DRAFT202012)
                    .setOutputFormat(io.vertx.json.schema.OutputFormat.Basic))
            .validate(new JsonObject(json));
    List<String> faults = new ArrayList<>();
    if (!Boolean.TRUE.equals(result.getValid())) {
      List<OutputUnit> errors = result.getErrors();
      if (errors == null || errors.isEmpty()) {
        faults.add("invalid");
      } else {
        errors.forEach(e -> faults.add(e.getInstanceLocation() + ": " + e.getError()));
      }
    }
    return faults;
  }

  static String schema() {
    try (InputStream in = ReportFiles.class.getResourceAsStream("report.schema.json")) {
      if (in == null) {
        throw new IllegalStateException("report.schema.json is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
