// Uses an org as a program with jsforce 3 would; prints what it was told, as JSON.
// node jsforce_session.mjs <login url> <user name> <password and token> <client id> <secret>
import { createRequire } from "node:module";

const require = createRequire(`${process.env.JSFORCE_FOLDER}/`);
const jsforce = require("jsforce");
const [loginUrl, username, password, clientId, clientSecret] = process.argv.slice(2);
const version = "64.0";
const told = {};

async function refusal(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { name: error.name, code: error.errorCode, message: error.message };
  }
}

told.wrongPassword = await refusal(new jsforce.Connection({ loginUrl }).login(username, "wrong"));

const conn = new jsforce.Connection({ loginUrl, version });
told.user = await conn.login(username, password);
told.identity = (await conn.identity()).username;
told.objects = (await conn.describeGlobal()).sobjects.map((one) => one.name);
told.leadFields = (await conn.describe("Lead")).fields.length;

const leads = conn.sobject("Lead");
told.created = await leads.create({ LastName: "Lovelace", Company: "Engines", Email: "ada@x.com" });
told.updated = await leads.update({ Id: told.created.id, Title: "Countess" });
told.read = await leads.retrieve(told.created.id);
told.refused = await refusal(leads.create({ LastName: "Nobody" }));
told.found = (await leads.find({ Email: "ADA@X.COM" }, ["Id", "Owner.Name"])).map((one) => one.Id);

const webinars = conn.sobject("Webinar__c");
told.upserted = [
  await webinars.upsert({ Key__c: "K1", Name: "First" }, "Key__c"),
  await webinars.upsert({ Key__c: "K1", Name: "Second" }, "Key__c"),
];

const accounts = conn.sobject("Account");
told.collection = await accounts.create([{ Name: "A" }, { Phone: "1" }, { Name: "C" }]);
told.allOrNone = await accounts.create([{ Name: "D" }, { Phone: "1" }], { allOrNone: true });
told.upsertedCollection = await webinars.upsert(
  [{ Key__c: "K1", Name: "Third" }, { Key__c: "K2", Name: "Other" }],
  "Key__c",
);
told.names = (await conn.query("SELECT Name FROM Account ORDER BY Name")).records.map(
  (one) => one.Name,
);
told.destroyed = await accounts.destroy([told.collection[0].id]);

conn.bulk2.pollInterval = 20;
const input = Array.from({ length: 450 }, (_, number) => ({
  LastName: `Bulk ${number}`,
  Company: number === 7 ? "" : 'Quoted "Company", Inc\nSecond line',
}));
const loaded = await conn.bulk2.loadAndWaitForResults({
  object: "Lead",
  operation: "insert",
  input,
  pollInterval: 20,
});
told.bulk = {
  successful: loaded.successfulResults.length,
  failed: loaded.failedResults.map((one) => one.sf__Error),
  unprocessed: loaded.unprocessedRecords.length,
  company: loaded.successfulResults[0].Company,
};
const job = conn.bulk2.createJob({
  object: "Webinar__c",
  operation: "upsert",
  externalIdFieldName: "Key__c",
});
await job.open();
await job.uploadData("Key__c,Name\nK1,Fourth\nK9,New\n");
await job.close();
await job.poll(20, 10000);
const results = await job.getAllResults();
told.bulkUpsert = Object.fromEntries(
  results.successfulResults.map((one) => [one.Name, one.sf__Created]),
);
const stream = await conn.bulk2.query("SELECT Id, LastName FROM Lead WHERE LastName LIKE 'Bulk%'", {
  pollInterval: 20,
});
told.bulkQuery = (await stream.toArray()).length;
told.pages = await conn.query("SELECT Id FROM Lead").then((one) => [one.done, one.totalSize]);
told.all = (await conn.query("SELECT Id FROM Lead", { autoFetch: true, maxFetch: 9999 })).records
  .length;
told.wrongQuery = await refusal(conn.query("SELECT Nothing FROM Lead"));
told.usage = conn.limitInfo.apiUsage;

const app = new jsforce.Connection({
  oauth2: { loginUrl, clientId, clientSecret },
  instanceUrl: loginUrl,
  version,
});
await app.authorize({ grant_type: "client_credentials" });
told.byApp = (await app.query("SELECT COUNT() FROM Lead")).totalSize;

await conn.logout();
told.loggedOut = await refusal(
  new jsforce.Connection({ instanceUrl: loginUrl, accessToken: "gone", version }).query(
    "SELECT Id FROM Lead",
  ),
);
console.log(JSON.stringify(told));
